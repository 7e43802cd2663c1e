#!/usr/bin/env bash
# Measure Ganvas on a machine with a GPU, in 8 minutes: one JSON file with everything.
#
#     bash benchmarks/gpu.sh [--out gpu.json] [--minutes 8] [--mnist FOLDER] [--cifar PLACE]
#     bash benchmarks/gpu.sh --device cpu --tiny      # try the script itself, on any machine
#
# What is measured is in the head of gpu_parts.py; all options: bash benchmarks/gpu.sh --help
#
# The machine needs this repository, Python 3.11 or newer, PyTorch with CUDA, and NumPy. It needs no
# network and no compiler. What else Ganvas imports may be missing there: carry it along as wheels,
# in the folder `wheels` of the repository (or another one, named by $WHEELS). On a machine with a
# network, with the GPU machine's version of Python in place of 3.12:
#
#     python3 -m pip download --dest wheels --only-binary=:all: --python-version 3.12 \
#         --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 \
#         'pydantic<3' rich 'pillow<13' simplejpeg scipy safetensors filelock platformdirs \
#         jinja2 matplotlib
#     rm -f wheels/numpy-*.whl
#
# About 65 MB. Most are compiled for one version of Python and one kind of CPU, so both must be the
# GPU machine's. PyTorch and NumPy are left out, since the machine has its own. The wheels are
# unpacked into a temporary folder, which is searched first; nothing is installed, and pip is not
# needed.
#
# Without --mnist and --cifar the trainings use drawn images. $PYTHON is the interpreter, `python3`
# without.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
wheels=${WHEELS:-$root/wheels}
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT

for wheel in "$wheels"/*.whl; do
    # Without any wheels the pattern stays as it is.
    if [ -e "$wheel" ]; then
        "$python" -m zipfile -e "$wheel" "$packages"
    fi
done

# Checkpoints name the version of Ganvas, which is asked of its package: this one is not installed.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/pyproject.toml")
mkdir -p "$packages/ganvas-$version.dist-info"
printf 'Metadata-Version: 2.1\nName: ganvas\nVersion: %s\n' "$version" \
    > "$packages/ganvas-$version.dist-info/METADATA"

# The cache of packed images too: the user's own stays as it is.
export GANVAS_CACHE="$packages/cache"
export PYTHONPATH="$packages:$root/src${PYTHONPATH:+:$PYTHONPATH}"
"$python" "$root/benchmarks/gpu.py" "$@"
