"""A folder of 64x64 crops of the two photographs that come with scikit-learn: writes photographs/.

python examples/photographs.py
distaff train vae --dataset photographs --set learning_rate=1e-3 --steps 1000 --out runs/photographs
distaff evaluate runs/photographs
distaff report runs/photographs
"""

import csv
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

SIZE, STEP = 64, 32
folder = Path("photographs")
folder.mkdir(exist_ok=True)
photographs = load_sample_images()
rows = []
for pixels, path in zip(photographs.images, photographs.filenames, strict=True):
    name = Path(path).stem
    for y in range(0, pixels.shape[0] - SIZE + 1, STEP):
        for x in range(0, pixels.shape[1] - SIZE + 1, STEP):
            file = f"{name}-{y // STEP:02d}-{x // STEP:02d}.png"
            Image.fromarray(pixels[y : y + SIZE, x : x + SIZE]).save(folder / file)
            rows.append((file, name.partition(".")[0], x // STEP, y // STEP))
with (folder / "labels.csv").open("w", newline="") as table:
    csv.writer(table).writerows([("file", "photograph", "column", "row"), *rows])
print(f"photographs/: {len(rows)} crops of {SIZE}x{SIZE} pixels, with labels.csv")
