#!/usr/bin/env bash
# All the tests: builds with gcc, with clang, and with clang's sanitizers, and the suites on each. Device code is built once.
#   scripts/test.sh          what CI runs
#   scripts/test.sh all      that, and the tests of the suite `long`
#   scripts/test.sh gcc      one or more of: gcc sanitize clang alone spirv hip long
set -euo pipefail
cd "$(dirname "$0")/.."

builds=${*:-gcc sanitize clang alone spirv hip}
[ "$builds" != all ] || builds="gcc long sanitize clang alone spirv hip"
passed=0 failed=0 skipped=0 broken=()
say() { printf '\n== %s\n' "$*"; }

configure() { # dir, compiler, further options
  local dir=$1 compiler=$2
  shift 2
  if [ -f "$dir/build.ninja" ]; then meson configure "$dir" "$@" >/dev/null; else
    CC=$compiler CXX=$([ "$compiler" = gcc ] && echo g++ || echo clang++) meson setup "$dir" -Dwerror=true "$@" >"$dir.log" 2>&1 || { cat "$dir.log"; return 1; }
  fi
}

suite() { # dir, further arguments of meson test: runs, prints a line a test with its time, adds up
  local dir=$1
  shift
  meson test -C "$dir" --no-rebuild --print-errorlogs "$@" 2>&1 | tee "$dir/suite.log" |
    sed -n -e '/^ *[0-9]*\/[0-9]* /p' -e '/^――\|^=*$/d' -e '/^\(stdout\|stderr\|[^ ]*:[0-9]*:\)/p' || true
  local count
  count() { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$dir/suite.log" | tail -1; }
  passed=$((passed + $(count Ok || true) + 0))
  local f=$(($(count Fail) + $(count 'Unexpected Pass') + $(count Timeout)))
  failed=$((failed + f))
  skipped=$((skipped + $(count Skipped)))
  if [ "$f" -gt 0 ] || ! grep -q '^Ok:' "$dir/suite.log"; then
    broken+=("$dir")
    sed -n '/^Summary of Failures/,$p' "$dir/suite.log"
    grep -n -A40 -E '^(stdout|stderr):|― (stdout|stderr) ―' "$dir/suite.log" | head -150 || true
  fi
}

spirv_is_current() { # needs Debian 13's compiler, which the script fetches: without a network that is a skip
  local said
  if said=$(scripts/build_coopmat.sh --check 2>&1); then
    passed=$((passed + 1))
  elif grep -qE 'cannot (read|fetch)|no apt-get|no Debian mirror' <<<"$said"; then
    skipped=$((skipped + 1))
  else
    echo "$said"
    return 1
  fi
  echo "$said"
}

build() {
  local start=$SECONDS
  ninja -C "$1" >"$1/ninja.log" 2>&1 || { grep -E -A6 'FAILED|error|warning' "$1/ninja.log" | head -60; return 1; }
  echo "built in $((SECONDS - start)) s"
}

# Device code is built for the GPU that the tests execute and for the one of the second static table; of the others it is only compiled, by `hip`.
hip_others() {
  local clang=clang-19 arch source n=0
  command -v $clang >/dev/null || { echo "skipped: no $clang"; skipped=$((skipped + 1)); return 0; }
  for arch in gfx90a gfx1100; do
    for source in hipkernels/*.hip; do
      case $arch:$source in gfx11*:*_mfma.hip | gfx90a:*_wmma.hip) continue ;; esac # matrix units of CDNA, of RDNA 3
      $clang -x hip --offload-arch=$arch --offload-device-only -nogpulib -nogpuinc -std=c++17 -fsyntax-only -Wall -Wextra -Werror -Wno-unused-function \
        -Ihipkernels -Ikernels/include "$source" || { echo "$source does not compile for $arch"; return 1; }
      n=$((n + 1))
    done
  done
  echo "$n sources"
  passed=$((passed + 1))
}

one() {
  local archs=(-Dhip_archs=gfx942,gfx1103)
  # Taken from the first build; the sources for gfx11, which run on the host, are tried by that one alone.
  local built=(-Dhip_archs=gfx942 -Dspirv_dir="$PWD/build/shaders" -Dhip_dir="$PWD/build/hipkernels")
  local emulator=(-Dgfx942_dir="$PWD/build/tests/gfx942")
  [ -f build/tests/gfx942/libamdhip64.so ] || emulator=()
  case $1 in
    gcc)
      say "gcc: all suites"
      configure build gcc "${archs[@]}" && build build && suite build ;;
    long)
      say "gcc: the suite long"
      configure build gcc "${archs[@]}" && build build && suite build --setup all --suite long ;;
    sanitize)
      say "clang, AddressSanitizer and UndefinedBehaviorSanitizer"
      configure build-sanitize clang -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dbench=false "${built[@]}" &&
        build build-sanitize && suite build-sanitize --setup sanitize ;;
    clang)
      say "clang: the quick suites"
      configure build-clang clang -Dbench=false "${built[@]}" "${emulator[@]}" && build build-clang && suite build-clang --setup quick ;;
    alone)
      say "gcc, with assertions: rt and kernels alone"
      configure build-alone gcc -Dbuildtype=debug -Doptimization=1 -Dbridge=false -Dtools=false -Dtune=false -Dbench=false -Dvulkan=false \
        "${built[@]:0:1}" "${built[2]}" "${emulator[@]}" && build build-alone && suite build-alone --setup quick ;;
    spirv)
      say "the SPIR-V that is kept in the tree is what the pinned compiler makes of its sources"
      spirv_is_current ;;
    hip)
      say "the device code for HIP compiles for the GPUs that are not built here"
      hip_others ;;
    *) echo "test.sh: unknown build $1: gcc, sanitize, clang, alone, spirv, hip or long" >&2; exit 2 ;;
  esac
}

for b in $builds; do
  if ! one "$b"; then
    failed=$((failed + 1))
    broken+=("$b")
  fi
done
say "result"
[ ${#broken[@]} -eq 0 ] || echo "failed: ${broken[*]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
