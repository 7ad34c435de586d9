# Sourced by scripts that want packages of another Debian than this machine's: from the mirror that its apt already uses, unpacked in a
# folder; nothing is installed.

# debian_unpack FOLDER STATUS SUITES OTHERWISE PACKAGE...: the packages, and what they need beyond those that STATUS, a file of dpkg's, has
# as installed. FOLDER is replaced once all is there. OTHERWISE is said where there is no apt to ask. The caller has `die`.
debian_unpack() (
    folder=$1 status=$2 suites=$3 otherwise=$4
    shift 4
    command -v apt-get >/dev/null || die "no apt-get here: $otherwise"
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
    [ -n "$site" ] || die "apt knows no Debian mirror: $otherwise"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$folder.new"
    cp "$status" "$work/status"
    for suite in $suites; do echo "deb $site $suite main"; done >"$work/sources.list"
    apt() {
        apt-get -q -y -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
            -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" \
            -o APT::Install-Recommends=false -o Acquire::Languages=none -o APT::Sandbox::User=root "$@" >"$work/log" 2>&1 ||
            { cat "$work/log" >&2; die "apt-get $*: it failed"; }
    }
    apt update
    apt --download-only install "$@"
    for package in "$work"/cache/archives/*.deb; do dpkg -x "$package" "$folder.new"; done
    rm -rf "$folder"
    mv "$folder.new" "$folder"
)

# debian_driver FILE LIBRARY: a manifest of a Vulkan driver.
debian_driver() {
    printf '{"file_format_version": "1.0.0", "ICD": {"api_version": "1.4.305", "library_path": "%s"}}\n' "$2" >"$1"
}
