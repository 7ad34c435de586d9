# Completion of greta for bash. The options of each command stand here; a test compares them with --help.

_greta_options() {
    case $1 in
    run)
        echo "-m --model -p --prompt -f --file -n --predict --temp --top-k --top-p --min-p --repeat-penalty --seed --ctx --kv --plan --chunk --force --no-tuning -d --device -t --threads -v --verbose --profile --profile-kernels --stats -h --help"
        ;;
    chat)
        echo "-m --model -s --system --chat-template -n --predict --temp --top-k --top-p --min-p --repeat-penalty --seed --ctx --kv --plan --chunk --force --no-tuning -d --device -t --threads -v --verbose --profile --profile-kernels --stats -h --help"
        ;;
    devices)
        echo "--json -v --verbose -h --help"
        ;;
    tokenize)
        echo "-m --model --no-bos --no-special -v --verbose -h --help"
        ;;
    inspect)
        echo "-v --verbose -h --help"
        ;;
    compare)
        echo "-a --all --fail-above -h --help"
        ;;
    report)
        echo "-o --output --csv -h --help"
        ;;
    logits)
        echo "-m --model -p --prompt --tokens --json --ctx --kv --plan --chunk --force --no-tuning -d --device -t --threads -v --verbose -h --help"
        ;;
    perplexity)
        echo "-m --model -f --file --json --ctx --kv --plan --chunk --force --no-tuning -d --device -t --threads -v --verbose --profile --profile-kernels -h --help"
        ;;
    bench)
        echo "--preset --filter --list --out --json --csv --check --compute-only --row --m --n --k --rows --cols --iters --batch --budget --seed -m --model -p --prompt -n --predict --depth -r --repeat --cold --ctx --kv --plan --chunk --force --no-tuning -d --device -t --threads -v --verbose --profile --profile-kernels -h --help"
        ;;
    tune)
        echo "-m --model --op --shape --budget --seed --again --more-rounding --check -p --prompt --list --export --import --images --dir --database --ctx --kv --plan --chunk -d --device -t --threads -v --verbose -h --help"
        ;;
    pull)
        echo "--list -o --output --sha256 -v --verbose -h --help"
        ;;
    "")
        echo "-h --help --version"
        ;;
    esac
}

# What may follow an option; 1 where it takes no word that is known beforehand.
_greta_values() {
    case $1 in
    --kv) echo "f16 f32 q8_0" ;;
    --plan) echo "default exact" ;;
    --chat-template) echo "chatml llama2 llama3 mistral zephyr qwen3 phi3 gemma2" ;;
    -d | --device) echo "cpu vulkan vulkan:0 vulkan:1" ;;
    *) return 1 ;;
    esac
}

_greta() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "run chat devices tokenize inspect logits perplexity bench compare report tune pull --help --version" -- "$word")
        return
    fi
    if words=$(_greta_values "$before"); then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_greta_options "$command")" -- "$word")
    elif [[ $before == -m || $before == --model || $command == inspect ]]; then
        mapfile -t COMPREPLY < <(compgen -f -X '!*.gguf' -- "$word"; compgen -d -- "$word")
        compopt -o filenames 2>/dev/null
    elif [[ $before == -f || $before == --file || ($command == pull && ($before == -o || $before == --output)) ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
    elif [ "$command" = report ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
    elif [ "$command" = compare ]; then
        mapfile -t COMPREPLY < <(compgen -f -X '!*.json' -- "$word"; compgen -d -- "$word")
        compopt -o filenames 2>/dev/null
    elif [ "$command" = pull ]; then
        mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" pull --list 2>/dev/null | sed -n 's/^\([^ ]\{1,\}\).*/\1/p')" -- "$word")
    elif [ "$command" = bench ]; then
        mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" bench --list 2>/dev/null | sed -n 's/^\([a-z_0-9]\{1,\}\) .*/\1/p')" -- "$word")
    fi
}

complete -F _greta greta
