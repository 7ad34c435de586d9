#!/bin/sh
# Makes rt/trial_spirv.h from rt/trial.comp. Run after the shader has changed; needs glslc and spirv-val.
set -eu
cd "$(dirname "$0")/.."
words=$(mktemp)
trap 'rm -f "$words" "$words.spv"' EXIT
glslc --target-env=vulkan1.2 -O -o "$words.spv" rt/trial.comp
spirv-val --target-env vulkan1.2 "$words.spv"
glslc --target-env=vulkan1.2 -O -mfmt=num -o "$words" rt/trial.comp
{
    echo '/* rt/trial.comp, compiled by scripts/trial_spirv.sh. */'
    tr -d '\n' <"$words" | sed 's/,/, /g' | fold -s -w 106 | sed 's/ *$//; s/^/    /'
    echo
} >rt/trial_spirv.h
