"""Settings that the tests of the pipelines share."""

from git_mlops.scaffold.settings import Settings

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
    git_credentials="git",
)
IMAGE = Settings(
    image="nvcr.io/nvidia/pytorch@sha256:" + "a" * 64, runner=("gpu",), cache=False, test="true", timeout=5
)
CASES = {"default": Settings(), "everything": EVERYTHING, "image": IMAGE}
