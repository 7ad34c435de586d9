#!/usr/bin/env python3
"""The options of every command stand in its --help, its man page and the completions, and nowhere else: options.py GRETA TOOLS

Also: every command has all of these; the bash completion completes; mandoc, where it is installed, finds no fault in the pages.
"""
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402

GRETA, TOOLS = sys.argv[1], pathlib.Path(sys.argv[2])
BASH = TOOLS / "completion/greta.bash"


def same(what, expected, found):
    check(what, expected == found, f"lacks {sorted(expected - found)}, has too much: {sorted(found - expected)}")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def help_options(text):
    """{"-m", "--model"} of the lines under Options:"""
    lines = text[text.index("\nOptions:\n"):].splitlines()
    found = [re.match(r"  (?:(-\w), |    )(--[\w-]+)", line) for line in lines]
    return {word for match in found if match for word in match.groups() if word}


def man_options(text):
    """Of the .It lines of the list behind "The options are:"."""
    text = text[text.index("The options are:"):text.index(".Sh ENVIRONMENT")]
    return {"-" + word.replace("\\-", "-") for line in text.splitlines() if line.startswith(".It ")
            for word in re.findall(r"Fl (\S+)", line)}


def bash_options(command):
    return set(output("bash", "-c", f'source "{BASH}"; _greta_options {command}').split())


def zsh_options(text, command):
    body = re.search(rf"^_greta_{command}\(\) \{{$(.*?)^\}}$", text, re.S | re.M)
    return set(re.findall(r"(?<![\w-])(-\w|--[\w-]+)(?=[\[,}])", body.group(1))) if body else set()


def fish_options(text, command):
    found = set()
    for line in text.splitlines():
        if f"__fish_seen_subcommand_from {command}'" in line:
            found |= {"-" + x for x in re.findall(r" -s (\w)", line)} | {"--" + x for x in re.findall(r" -l ([\w-]+)", line)}
    return found


def complete(*words):
    """What the bash completion offers for the last of the words."""
    script = (f'source "{BASH}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _greta; printf "%s\\n" "${{COMPREPLY[@]}}"')
    return set(output("bash", "-c", script, "bash", *words).split("\n")) - {""}


def main():
    general = output(GRETA, "--help")
    commands = re.findall(r"^  ([a-z]+) ", general, re.M)
    check("there are commands", len(commands) >= 9, general)
    zsh, fish = (TOOLS / "completion/_greta").read_text(), (TOOLS / "completion/greta.fish").read_text()
    first = (TOOLS / "man/greta.1").read_text()
    for command in commands:
        page = TOOLS / f"man/greta-{command}.1"
        options = help_options(output(GRETA, command, "--help"))
        check(f"{command} has options", len(options) >= 3, str(options))
        check(f"{command}: greta.1 names it", f".Xr greta-{command} 1" in first)
        check(f"{command}: fish names it", f"-a {command} " in fish)
        check(f"{command}: zsh names it", f"'{command}:" in zsh)
        if not page.exists():
            check(f"{command} has a page", False)
            continue
        same(f"{page.name}", options, man_options(page.read_text()))
        same(f"bash, {command}", options, bash_options(command))
        same(f"zsh, {command}", options, zsh_options(zsh, command))
        same(f"fish, {command}", options, fish_options(fish, command))
    same("pages", {f"greta-{c}.1" for c in commands} | {"greta.1"}, {p.name for p in (TOOLS / "man").glob("*.1")})
    same("variables in greta.1", set(re.findall(r"^  (GRETA_\w+)", general, re.M)), set(re.findall(r"^\.It Ev (GRETA_\w+)", first, re.M)))

    same("bash completes commands", set(commands) | {"--help", "--version"}, complete(GRETA, ""))
    same("bash completes options", {"--temp"}, complete(GRETA, "chat", "--te"))
    same("bash completes values", {"f16", "f32"}, complete(GRETA, "run", "--kv", "f"))
    check("bash completes names of models", "llama-2-7b-chat" in complete(GRETA, "pull", "llama-"))
    if shutil.which("mandoc"):
        lint = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *sorted(map(str, (TOOLS / "man").glob("*.1")))],
                              capture_output=True, text=True)
        check("mandoc", lint.returncode == 0, lint.stdout + lint.stderr)
    return check_done()


if __name__ == "__main__":
    sys.exit(main())
