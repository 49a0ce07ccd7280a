"""Settings that the tests of the pipelines share."""

from git_mlops.scaffold.settings import Monitor, Settings, Train

EVERYTHING = Settings(
    python=("3.13", "3.12"),
    branches=("main", "release/**"),
    install="pip install -r requirements.txt\necho 'a \"b\" \\ c: d' # e\n",
    secrets=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    pull=("data/my 'file'.csv", "$(id)"),
    test="python -m pytest -q",
    comment=True,
    runner=("self-hosted", "gpu"),
    deploy={"prod": "./deploy.sh <<EOF\n$( id ) $[[ inputs.x ]] << y >>\nEOF\n", "dev/eu": "true"},
    deploy_secrets=("KUBECONFIG",),
    train=Train(
        model=("churn#prod", "ltv"), schedule="0 3 * * 1", when=("data", "drift"), runner=("gpu", "large"),
        bring="cp '/a b' \"$(id)\"", options=("--data", "my 'file'.csv"), token="RETRAIN_TOKEN", timeout=600,
    ),
    monitor=Monitor(
        model=("churn#prod", "other"), schedule="5 6-18/4 * * 1-5", bring="cp -r '/a b' $(id) log\n",
        options=("--log", "log"), secrets=("SLACK_WEBHOOK",),
    ),
    git_credentials="git",
)  # fmt: skip
IMAGE = Settings(
    image="nvcr.io/nvidia/pytorch@sha256:" + "a" * 64, runner=("gpu",), cache=False, test="true", timeout=5
)
MODELS = Settings(train=Train(model=("churn",)), monitor=Monitor(model=("churn",), schedule="0 6 * * *"))
TRAIN = Settings(train=Train(model=("churn",), schedule="0 3 * * 1"), cache=False)
DATA = Settings(train=Train(model=("churn",), when=("data",)), python=("3.12", "3.11"), test="true")
CASES = {
    "default": Settings(), "everything": EVERYTHING, "image": IMAGE, "models": MODELS, "train": TRAIN,
    "data": DATA,
}  # fmt: skip
