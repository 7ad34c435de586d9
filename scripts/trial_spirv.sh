#!/bin/sh
# Makes rt/trial_spirv.h from rt/trial.comp, and bench/dispatch_spirv.h from bench/dispatch.comp. Run after a shader of these has
# changed; needs glslc and spirv-val.
set -eu
cd "$(dirname "$0")/.."
words=$(mktemp)
trap 'rm -f "$words" "$words.spv"' EXIT
for name in rt/trial bench/dispatch; do
    glslc --target-env=vulkan1.2 -O -o "$words.spv" $name.comp
    spirv-val --target-env vulkan1.2 "$words.spv"
    glslc --target-env=vulkan1.2 -O -mfmt=num -o "$words" $name.comp
    {
        echo "/* $name.comp, compiled by scripts/trial_spirv.sh. */"
        tr -d '\n' <"$words" | sed 's/,/, /g' | fold -s -w 106 | sed 's/ *$//; s/^/    /'
        echo
    } >${name}_spirv.h
done
