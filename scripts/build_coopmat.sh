#!/bin/sh
# Makes shaders/prebuilt/*.spv: the shaders that need a newer compiler than the build asks for (cooperative matrix).
#
#   build_coopmat.sh          compile, check with spirv-val, write shaders/prebuilt
#   build_coopmat.sh --check  compile and compare: fails where shaders/prebuilt is not what the source gives
#
# The tools are pinned: glslc 2025.2 and spirv-val 2025.1 as in Debian 13. Where /usr/bin has others, Debian 13's are fetched
# from the mirror that this Debian's apt already uses, unpacked in $GRETA_SPIRV_TOOLS (default: the user's cache) and
# run by their own dynamic loader; nothing is installed.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
tools=${GRETA_SPIRV_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/greta/spirv-tools-13}
wanted_glslc="shaderc 2025.2-1"
wanted_val="SPIRV-Tools v2025.1"

die() {
    echo "build_coopmat.sh: $*" >&2
    exit 1
}

. "$(dirname "$0")/debian_unpack.sh"

run_tool() {
    name=$1
    shift
    if [ "$prefix" = unpacked ]; then
        "$tools/usr/lib64/ld-linux-x86-64.so.2" --library-path "$tools/usr/lib/x86_64-linux-gnu" "$tools/usr/bin/$name" "$@"
    else
        "$name" "$@"
    fi
}

has_tools() {
    run_tool glslc --version 2>/dev/null | grep -q "^$wanted_glslc" &&
        run_tool spirv-val --version 2>/dev/null | grep -q "^$wanted_val"
}

prefix=installed
if ! has_tools; then
    prefix=unpacked
    has_tools || debian_unpack "$tools" /dev/null trixie "put $wanted_glslc and $wanted_val on the PATH" glslc spirv-tools
    has_tools || die "Debian 13's tools are not $wanted_glslc and $wanted_val"
fi

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
names=
for source in "$here"/shaders/*_coopmat.comp "$here"/shaders/*_coopmat2.comp; do
    name=$(basename "$source" .comp)
    names="$names $name"
    # Compiled by a relative path, so that the bytes do not depend on where the tree lies.
    (cd "$here/shaders" && run_tool glslc --target-env=vulkan1.3 -O -I. -I../kernels/include "$name.comp" -o "$made/$name.spv")
    run_tool spirv-val --target-env vulkan1.3 "$made/$name.spv"
    # After the validator, which knows no bf16 either.
    case $source in *_bf16_*) python3 "$here/scripts/spirv_bf16.py" "$made/$(basename "$source" .comp).spv" ;; esac
done

if [ "${1:-}" = --check ]; then
    for name in $names; do
        cmp "$made/$name.spv" "$here/shaders/prebuilt/$name.spv" ||
            die "shaders/prebuilt/$name.spv is not current: run scripts/build_coopmat.sh"
    done
    python3 "$here/scripts/spirv_stamp.py" $names
    exit
fi
mkdir -p "$here/shaders/prebuilt"
for name in $names; do
    # Only what changed, so that a build does not repeat its work.
    cmp -s "$made/$name.spv" "$here/shaders/prebuilt/$name.spv" || cp "$made/$name.spv" "$here/shaders/prebuilt/$name.spv"
done
python3 "$here/scripts/spirv_stamp.py" --write "$(run_tool glslc --version | head -n 1; run_tool spirv-val --version | head -n 1)" $names
