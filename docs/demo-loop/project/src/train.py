"""Train: how far will a patient's diabetes have progressed in a year? Writes model.joblib."""

import joblib
import pandas as pd
from patients import LABEL, MEASURES, PATH, held_back
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table = pd.read_csv(PATH)
train = table[~held_back(table)]
model = make_pipeline(StandardScaler(), RidgeCV()).fit(train[MEASURES], train[LABEL])
joblib.dump(model, "model.joblib")
print(f"trained on {len(train)} patients of {train['age'].min():g} to {train['age'].max():g} years")
