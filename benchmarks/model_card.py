"""Runs the benchmarks and writes the model card from what they print.

    python benchmarks/model_card.py DATA OUT [--model CHECKPOINT] [--again NAME ...]

DATA holds `test` (made if missing), `rendered` and `real`; OUT keeps every benchmark's output, so that what is there is
not run again unless named. The card goes to docs/model-card.md, the reliability plot to docs/reliability.png.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from annotator.network.checkpoint import checkpoint_digest, load_checkpoint

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
SMALL = " --steps 800"  # more is hours on two cores
# name: title, script and its arguments ({data} and {out} are filled in)
SECTIONS = {
    "mesh-truth": (
        "1. Mesh truth: rendered hands, landmarks with the noise of real photos",
        "mesh_truth.py {data}/test --by-kind",
    ),
    "own-landmarks": (
        "The same with the landmark network's own word, which fails on renders",
        "mesh_truth.py {data}/test --own-landmarks",
    ),
    "two-cameras": ("2. Two cameras: held-out frames", "two_cameras.py {data}/real/two-cameras"),
    "real-keypoints": ("3. Real 2-D: held-out digits", "real_keypoints.py {data}/real/digits"),
    "ablation": ("4. Ablation", "ablation.py {data}/rendered {data}/test {out}/variants" + SMALL),
    "supervision": ("5. Supervision", "supervision.py {data}/rendered {data}/test {out}/variants" + SMALL),
    "reliability": ("Calibration", "reliability.py {data}/test {data}/real --plot docs/reliability.png"),
    "out-of-domain": ("Out of domain", "out_of_domain.py {data}/real"),
    "rotation": ("Rotation: the same photo turned by any angle", "rotation.py --photos 30"),
    "throughput": ("Speed", "throughput.py --photos 32 --rounds 2"),
}
TRAINED_BY_ITSELF = ("ablation", "supervision", "rotation", "throughput")  # these take no --model
NOTES = """## How to read it

Crops are by the label, as with a given box, unless a section says otherwise. Intervals are 95 % bootstrap intervals. On
rendered photos the landmark network is far worse than on real ones, so section 1 gives the network landmarks with the
noise of real photos (`annotator/learning/data/noise.py`).

- The network starts from MediaPipe's weights: it is no independent peer of it. On `digits` the label *is* MediaPipe's
  (asked ten times): that table says how near the mesh comes to the teacher, not to the truth.
- `two cameras` is the same hand, desk and video as in the last phase of training, a later quarter of it. Its joints
  come from MediaPipe's keypoints in both views, so its 2-D column favours MediaPipe; its 3-D column is evidence from
  geometry.
- The ablation and the supervision tables are of small trainings (800 and 240 steps, one seed) with the encoder as it
  comes, not of the shipped model: at that budget the third refinement stage does not pay yet (section 1 shows what the
  shipped one's do, each retrieval with its own share). The commands given train all variants; of 800 steps there are
  those listed.
- `propose` gives the network's own answer: nothing draws it to a landmark network's keypoints.
- Sigmas: on rendered hands a 90 % interval holds 89 %. On real photos it holds 99 %, against labels that are related to
  the landmarks a proposal is drawn to; against a person's it would hold less.
- No person has measured these hands. One hand model, adult proportions.
- MediaPipe's thumb base lies about 7 mm from the anatomical joint of our hand model; the teacher counts little there.

![reliability](reliability.png)

The worst twenty of 300 (`python benchmarks/worst.py DATA/test docs/worst.png --of 300`): crop, mesh with the true
skeleton, both from the side. Dark or tiny pictures, two hands in one crop, and fingers that hide each other; one thumb
is elsewhere.

![the worst twenty](worst.png)
"""


def header(path: Path | None) -> str:
    """What the checkpoint says of itself."""
    network, card = load_checkpoint(path)
    parameters = sum(p.numel() for p in network.parameters())
    lines = [
        f"# Model card: {card.get('name', 'checkpoint')} ({checkpoint_digest(network)})",
        "",
        f"GLFNet, {parameters / 1e6:.1f} M parameters; hand model `{network.hand.name}` ({network.hand.digest[:12]}).",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in card.items() if not isinstance(value, dict)),
        *(f"| data: {name} | {value} |" for name, value in card.get("data", {}).items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument(
        "--again", nargs="*", default=[], choices=list(SECTIONS), help="run these although their output is there"
    )
    parser.add_argument("--only", nargs="*", choices=list(SECTIONS), help="run no others (what is there is still used)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    parts = [header(arguments.model)]
    for name, (title, command) in SECTIONS.items():
        kept = arguments.out / f"{name}.md"
        wanted = arguments.only is None or name in arguments.only
        if wanted and (name in arguments.again or not kept.exists()):
            words = command.format(data=arguments.data, out=arguments.out).split()
            if arguments.model is not None and name not in TRAINED_BY_ITSELF:
                words += ["--model", str(arguments.model)]
            done = subprocess.run(
                [sys.executable, str(HERE / words[0]), *words[1:]], cwd=HERE.parent, stdout=subprocess.PIPE, text=True
            )
            if done.returncode:
                sys.exit(f"{name} failed with exit code {done.returncode}")
            kept.write_text(done.stdout)
        if kept.exists():
            shown = command.format(data="DATA", out="OUT")
            parts.append(f"## {title}\n\n`python benchmarks/{shown}`\n\n{kept.read_text().strip()}\n")
    (DOCS / "model-card.md").write_text("\n".join([*parts, NOTES]))
    print(DOCS / "model-card.md")


if __name__ == "__main__":
    main()
