"""The private learners as scikit-learn estimators, with both units inside this process.

For trying out what a learner does to a data set: in a `Pipeline`, under `cross_val_score` or `GridSearchCV`. The
computation is the one that the provider's units do, share by share; but one process holds both shares, so an estimator
protects nobody from whoever runs it.

Needs scikit-learn: ``pip install 'privml[sklearn]'``.
"""

from privml.sklearn.estimators import PrivateDecisionTree, PrivateLogisticRegression, PrivateNaiveBayes

__all__ = ["PrivateDecisionTree", "PrivateLogisticRegression", "PrivateNaiveBayes"]
