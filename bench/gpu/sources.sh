#!/usr/bin/env bash
# One sum over all that a wheel is built from: a wheel is of this tree if it was made with the same.
cd "$(dirname "$0")/../.." || exit
find CMakeLists.txt pyproject.toml cpp python -type f ! -name '*.so' ! -name '*.pyc' -print0 |
  LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
