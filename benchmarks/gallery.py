"""The gallery: explorers of runs, each from the commands that stand here.

    python benchmarks/gallery.py                 # all of it, into runs/gallery
    python benchmarks/gallery.py digits --out .  # one page
    python benchmarks/gallery.py --keep          # and put what is whole into docs/gallery; then `make docs`

A page holds the run's decoder in half precision: they are also our pretrained models, whose run folders stay
beside them. `index.html` names every page that is there, with its commands. A run that is finished is not
trained again. Settings of dSprites and chairs are those of the README and of an experiment; the others are
first guesses and were not compared with any. FactorVAE's discriminator is narrow, as its weights are kept.
Words are grounded in a plain beta-VAE: one that compares features decodes by three networks, which are more
than a page may hold.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from distaff.files import write_text
from distaff.pages import parts
from distaff.pages.page import Section, page

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "docs" / "gallery"
PARTS = ("config.json", "history.jsonl", "model.safetensors", "scores.json")  # of a run, to load it
LARGEST = 1_500_000  # bytes of a page
ROOMS = (
    "--dataset rooms --data resolution=32 --data wall_colour=8 --data floor_colour=8 --data object_colour=8 "
    "--seed 100 --threads 1"
)


class Shown(NamedTuple):
    """What a page shows, and what `distaff train` gets, run by run; the last run is the page's.

    {out} is the gallery's folder.
    """

    told: str
    trained: Sequence[str]


GALLERY = {
    "dsprites": Shown(
        "beta-VAE on shapes in the plane",
        [
            "beta_vae --dataset dsprites --data resolution=32 --set beta=3 --set latents=5 "
            "--set batch_size=32 --set learning_rate=1e-3 --steps 10000 --out {out}/dsprites"
        ],
    ),
    "faces": Shown(
        "beta-VAE on faces that turn",
        [
            "beta_vae --dataset faces3d --data resolution=32 --set beta=2 --set reconstruction_weight=4 "
            "--set learning_rate=1e-3 --steps 10000 --seed 100 --out {out}/faces"
        ],
    ),
    "chairs": Shown(
        "DC-IGN on chairs: the first latent is the angle",
        [
            "dc_ign --dataset chairs3d --data resolution=32 --data elevation=[0] "
            "--set groups=azimuth;legs,back,arms,seat_width,back_height "
            "--set learning_rate=1e-3 --steps 4000 --seed 100 --out {out}/chairs"
        ],
    ),
    "digits": Shown(
        "InfoGAN on digits: a categorical code and two numbers",
        [
            "info_gan --dataset digits --set categorical=1 --set categories=10 --set latents=2 --steps 10000 "
            "--seed 100 --out {out}/digits"
        ],
    ),
    "cartoon_faces": Shown(
        "FactorVAE on cartoon faces",
        [
            "factor_vae --dataset cartoon_faces --data resolution=32 --set gamma=10 "
            "--set discriminator_width=200 "
            "--set reconstruction_weight=4 --set learning_rate=1e-3 --steps 10000 --seed 100 "
            "--out {out}/cartoon_faces"
        ],
    ),
    "shapes3d": Shown(
        "beta-TCVAE on things in a room",
        [
            "beta_tc_vae --dataset shapes3d --data resolution=32 --set beta=4 --set reconstruction_weight=4 "
            "--set learning_rate=1e-3 --steps 10000 --seed 100 --out {out}/shapes3d"
        ],
    ),
    "rooms": Shown(
        "SCAN: words for what is in a room",
        [
            f"beta_vae {ROOMS} --set latents=16 --set beta=1 --set reconstruction_weight=4 "
            "--set learning_rate=1e-3 --steps 6000 --out {out}/vision",
            f"scan {ROOMS} --set base={{out}}/vision --steps 3000 --out {{out}}/rooms",
        ],
    ),
    "words": Shown(
        "JMVAE: words and rooms learned together",
        [
            f"jmvae {ROOMS} --set latents=16 --set reconstruction_weight=4 --set learning_rate=1e-3 "
            "--steps 3000 --out {out}/words"
        ],
    ),
}


def commands(name: str, out: Path) -> list[list[str]]:
    """The words of every `distaff` command that makes a page, in their order."""
    trained = [["train", *shlex.split(each.format(out=out))] for each in GALLERY[name].trained]
    return [
        *trained,
        ["evaluate", f"{out}/{name}"],
        ["explore", f"{out}/{name}", "--out", f"{out}/{name}.html"],
    ]


def make(name: str, out: Path) -> Path:
    """Run a page's commands and return its path. An error where it is larger than a page may be."""
    for words in commands(name, out):
        print("distaff", shlex.join(words), flush=True)
        subprocess.run([sys.executable, "-m", "distaff", *words], check=True)
    path = out / f"{name}.html"
    if path.stat().st_size > LARGEST:
        sys.exit(f"{path} has {path.stat().st_size:,} bytes; a page of the gallery has at most {LARGEST:,}")
    return path


def keep(name: str, out: Path) -> None:
    """Copy a page and its run, without what training needs to go on, to where the docs link to it."""
    folder = KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(out / f"{name}.html", KEPT)
    for part in PARTS:
        shutil.copy(out / name / part, folder)


def index(out: Path) -> str:
    """A page that links to those that are there, each above its commands."""
    sections = [
        Section(
            shown.told, [_link(name), *(parts.tagged("p", _line(words)) for words in commands(name, out))]
        )
        for name, shown in GALLERY.items()
        if (out / f"{name}.html").exists()
    ]
    return page("Gallery", ["Runs to be explored in the browser, and the commands that made them."], sections)


def _link(name: str) -> Markup:
    return Markup('<p><a href="{0}.html">{0}</a></p>').format(name)


def _line(words: Sequence[str]) -> Markup:
    return parts.tagged("code", shlex.join(["distaff", *words]))


def main() -> None:
    """Make the pages that are asked for, or all, and the index."""
    told = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=told)
    parser.add_argument("names", nargs="*", choices=[*GALLERY, []], metavar="NAME", help=", ".join(GALLERY))
    parser.add_argument("--out", type=Path, default=Path("runs/gallery"))
    parser.add_argument("--keep", action="store_true", help="copy pages and runs into docs/gallery")
    given = parser.parse_args()
    for name in given.names or GALLERY:
        print(make(name, given.out))
        if given.keep:
            keep(name, given.out)
        write_text(given.out / "index.html", index(given.out))


if __name__ == "__main__":
    main()
