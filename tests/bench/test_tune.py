"""The tuning program of bench/tune on the emulated device: its variants give the bits of the kernels as they are, and
one that does not, or fails, is told without an end to the others."""

import math
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from gradstep_bench.cases import ON_CUDA
from support.compiling import ROOT, common_flags

TUNE = ROOT / "bench/tune"
MAIN = TUNE / "main.cu"
PARTS = [
    *(ROOT / f"cpp/cuda/emulation/{name}.cpp" for name in ("fiber", "grid", "runtime")),
    *sorted(TUNE.glob("*.cu")),
]
#: of which only a GPU's compiler sees all: further calls of the CUDA runtime
FOR_CUDA = sorted(path.name for path in TUNE.glob("*.cu") if "__CUDACC__" in path.read_text())


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The program and that of tests/native/tune.cpp, as plain C++."""
    if not (compiler := shutil.which("g++") or shutil.which("c++")):
        pytest.skip("no C++ compiler found")
    folder = tmp_path_factory.mktemp("tune")
    flags = [flag for flag in common_flags() if not flag.startswith("-O")]
    flags += ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-DGS_TARGET=emulated", "-DGS_SCALAR"]
    flags += [f"-I{ROOT / 'cpp'}", f"-I{ROOT / 'bench'}"]

    def compiled(source):
        output = folder / f"{source.name}.o"
        subprocess.run([compiler, *flags, "-x", "c++", "-c", source, "-o", output], check=True, timeout=300)
        return output

    own = ROOT / "tests/native/tune.cpp"
    with ThreadPoolExecutor(2) as pool:
        objects = dict(zip([*PARTS, own], pool.map(compiled, [*PARTS, own]), strict=True))
    for name, left_out in (("tune", own), ("faults", MAIN)):
        parts = [output for source, output in objects.items() if source != left_out]
        subprocess.run([compiler, *parts, "-o", folder / name], check=True, timeout=300)
    return folder


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def checked(programs):
    """The words of each variant, by case and name."""
    ended = run(programs / "tune", "check")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = {}
    for case, rows in re.findall(r"^== ([^:]+):.*\n((?:.+\n)+)", ended.stdout, re.MULTILINE):
        found[case] = dict(re.split(r"  +", row, maxsplit=1) for row in rows.splitlines())
    return found


def test_variants_give_the_same_bits(checked):
    assert list(checked) == ["odd sizes, f32", "odd sizes, bf16"]
    for case, at_least in (("odd sizes, f32", 25), ("odd sizes, bf16", 40)):
        words = checked[case]
        assert len(words) >= at_least
        assert set(words.values()) == {"reference", "same bits", "changes none"}
        assert words["update as it is"] == "reference"
        for name in words:
            if name.startswith(("native", "packs", "bf16", "norm, ")):
                assert words[name] == "same bits", name


def test_the_table_of_registers_names_the_variants(checked):
    listed = re.findall(r"^\| `([^`]+)` \|", (TUNE / "README.md").read_text(), re.MULTILINE)
    names = {name for words in checked.values() for name in words}
    assert len(listed) > 5
    assert set(listed) <= names


def test_a_faulty_variant_does_not_end_the_others(programs):
    ended = run(programs / "faults", "faults")
    assert ended.returncode == 2  # both cases
    for case in ended.stdout.split("\n== ")[1:]:
        rows = dict(re.split(r"  +", row, maxsplit=1) for row in case.splitlines() if "  " in row)
        assert rows == {
            "one bit off": "WRONG BITS: the first moments",
            "too many threads": "FAILED, not launched: invalid configuration argument",
            "aborts": "LEFT OUT, see above",
            "writes nothing": "WRONG BITS: the parameters, the first moments, the second moments",
            "hangs": "LEFT OUT, see above",
            "writes what it must not": "WRONG BITS: the parameters, the first moments, the second moments",
            "no reference": "WRONG: the kernel as it is does nothing",
            "as it is": "reference",
        }
        assert "aborts: ends its process; once more without it\n" in case
        assert "a check hangs\nhangs: ends its process; once more without it\n" in case


def test_the_models_are_those_of_the_benchmark(programs):
    lines = run(programs / "faults", "models").stdout.splitlines()
    assert len(lines) == 3
    for line, case in zip(lines, ("cuda-gpt2", "cuda-gpt2-bf16", "cuda-gpt2-xl"), strict=True):
        sizes = [int(size) for size in line.partition(":")[2].split()]
        assert sorted(sizes) == sorted(math.prod(shape) for shape in ON_CUDA[case].shapes)


def test_the_arithmetic_is_that_of_the_engine():
    engine = re.search(r'"\$\{architectures\} (.*)"\)$', (ROOT / "cpp/cuda/CMakeLists.txt").read_text(), re.MULTILINE)
    assert f'arithmetic="{engine.group(1)}"\n' in (TUNE / "build.sh").read_text()


@pytest.mark.parametrize("name", FOR_CUDA)
def test_a_gpu_compiler_takes_it(name, tmp_path):
    if not (nvcc := shutil.which("nvcc")):
        pytest.skip("nvcc not found")
    flags = ["-std=c++20", "-arch=sm_90", "-DGS_TARGET=cuda", f"-I{ROOT / 'cpp'}", "--Werror=all-warnings"]
    subprocess.run([nvcc, *flags, "-ptx", TUNE / name, "-o", tmp_path / "output"], check=True, timeout=300)
