"""Handwritten digits that come with scikit-learn, as a data set of one's own: writes digits.npz.

python examples/digits.py
distaff train beta_vae --dataset digits.npz --set beta=0.3 --set learning_rate=1e-3 --out runs/digits
distaff evaluate runs/digits
distaff report runs/digits
"""

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
np.savez("digits.npz", images=digits.images, factors=digits.target, factor_names=["digit"])
print(f"digits.npz: {len(digits.images)} images of 8x8 pixels, labelled with their digit")
