#!/bin/sh
# Install the market-data server as a systemd service, or bring an installation up to date.
set -eu

prefix=/opt/market-data
user=market-data
units=/etc/systemd/system
config=/etc/market-data
python=python3
wheels=
postgres=no
dry_run=no

usage() {
    cat <<END
Usage: deploy/install.sh [OPTION]...

Copies the server to PREFIX, makes its virtual environment from requirements.lock, and installs
market-data.service and market-data.socket. Run it again after an update: only what changed is done.

  --prefix DIR    where the server goes (default $prefix)
  --user NAME     the account it runs as; made if missing (default $user)
  --units DIR     where the units go (default $units)
  --config DIR    where the file 'environment' with the settings goes (default $config)
  --python FILE   the Python to use, 3.11 or newer (default $python)
  --wheels DIR    install packages from this directory instead of the network
  --postgres      install PostgreSQL's driver too, for DATABASE_URL=postgresql://...
  --dry-run       say what would be done, and do nothing
  --help          show this text
END
}

fail() {
    echo "install.sh: $1" >&2
    exit "${2:-1}"
}

say() {
    echo "install.sh: $*"
}

# run a command, or only show it
run() {
    if [ "$dry_run" = yes ]; then
        echo "  would run: $*"
    else
        "$@"
    fi
}

value_of() {
    if [ $# -lt 2 ] || [ -z "$2" ]; then
        fail "$1 needs a value; see --help." 2
    fi
}

absolute() {
    case $2 in
    /*) ;;
    *) fail "$1 must be an absolute path, was $2." 2 ;;
    esac
    case $2 in
    # these have a meaning in a unit file, in sed, or in both
    *[!A-Za-z0-9/._+-]*) fail "$1 may hold letters, digits and / . _ + - only, was $2." 2 ;;
    esac
}

while [ $# -gt 0 ]; do
    case $1 in
    --prefix) value_of "$@" && prefix=${2%/} && absolute "$1" "$2" && shift ;;
    --user) value_of "$@" && user=$2 && shift ;;
    --units) value_of "$@" && units=${2%/} && absolute "$1" "$2" && shift ;;
    --config) value_of "$@" && config=${2%/} && absolute "$1" "$2" && shift ;;
    --python) value_of "$@" && python=$2 && shift ;;
    --wheels) value_of "$@" && wheels=$2 && shift ;;
    --postgres) postgres=yes ;;
    --dry-run) dry_run=yes ;;
    --help) usage && exit 0 ;;
    *) fail "there is no option $1; see --help." 2 ;;
    esac
    shift
done

case $user in
'' | -* | *[!a-z0-9_-]*) fail "--user may hold small letters, digits, _ and - only, was $user." 2 ;;
esac

source_dir=$(cd "$(dirname "$0")/.." && pwd)
[ -f "$source_dir/server.py" ] || fail "server.py is not beside deploy/ in $source_dir."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "Python 3.11 or newer is needed; name one with --python, was $python."
if [ "$dry_run" = no ] && [ "$(id -u)" -ne 0 ] && [ "$user" != "$(id -un)" ]; then
    fail "to install for the account $user, run this as root (or with --user $(id -un))."
fi

# the unit hides these from the service: it would not find its Python, or itself
if [ "$units" = /etc/systemd/system ]; then
    for place in "$prefix" "$("$python" -c 'import sys; print(sys.base_prefix)')"; do
        case $place/ in
        /home/* | /root/* | /run/user/*)
            fail "the service cannot read $place: homes are closed to it. Choose another --prefix or --python."
            ;;
        esac
    done
fi

make_account() {
    if id "$user" >/dev/null 2>&1; then
        return
    fi
    say "making the account $user"
    run useradd --system --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$user"
}

# everything new is complete before it takes the old one's place: what fails on the way changes nothing
make_environment() {
    wanted=$source_dir/requirements.lock
    extra=
    if [ "$postgres" = yes ]; then
        extra=$source_dir/deploy/requirements-postgres.lock
    fi
    if cat "$wanted" ${extra:+"$extra"} | cmp -s - "$prefix/.venv/installed.lock"; then
        say "the packages are up to date"
        return
    fi
    say "installing the packages of requirements.lock"
    run rm -rf "$prefix/.venv.new"
    run "$python" -m venv "$prefix/.venv.new"
    set -- --quiet --disable-pip-version-check --only-binary :all: -r "$wanted" ${extra:+-r "$extra"}
    if [ -n "$wheels" ]; then
        set -- --no-index --find-links "$wheels" "$@"
    fi
    run "$prefix/.venv.new/bin/python" -m pip install "$@"
    if [ "$dry_run" = no ]; then
        cat "$wanted" ${extra:+"$extra"} >"$prefix/.venv.new/installed.lock"
    fi
    run rm -rf "$prefix/.venv"
    run mv "$prefix/.venv.new" "$prefix/.venv"
}

copy_tree() {
    say "copying the server to $prefix"
    staged=$prefix/.new
    run rm -rf "$staged"
    run mkdir -p "$staged"
    for item in server.py settings.toml analytics cli domain feed handlers schemas LICENSE \
        README.md SECURITY.md CHANGELOG.md docs bench/README.md clients/typescript/README.md web/dist; do
        if [ -e "$source_dir/$item" ]; then
            run mkdir -p "$staged/$(dirname "$item")"
            run cp -R "$source_dir/$item" "$staged/$item"
        fi
    done
    if [ ! -e "$source_dir/web/dist/index.html" ]; then
        say "the terminal is not built, so / shows a page of links: run \`make web\`, then this again"
    fi
    run find "$staged" -name __pycache__ -type d -prune -exec rm -rf {} +
    run chmod -R u=rwX,go=rX "$staged"
    # the service may not write here, so without this it would compile everything at every start
    run "$prefix/.venv/bin/python" -m compileall -q -s "$staged" -p "$prefix" "$staged"
    if [ "$dry_run" = no ]; then
        for path in "$staged"/*; do
            rm -rf "${prefix:?}/${path##*/}"
            mv "$path" "$prefix/"
        done
    fi
    run rmdir "$staged"
}

put_in_place() {
    sed -e "s|/opt/market-data|$prefix|g" -e "s|/etc/market-data|$config|g" \
        -e "s|^User=.*|User=$user|" -e "s|^Group=.*|Group=$(id -gn "$user" 2>/dev/null || echo "$user")|" \
        "$source_dir/deploy/$1"
}

# whether the unit is another than before is what decides about a restart of the port
install_unit() {
    if [ "$dry_run" = yes ]; then
        echo "  would install: $units/$1"
        return 1
    fi
    mkdir -p "$units"
    put_in_place "$1" >"$units/.$1.new"
    if cmp -s "$units/.$1.new" "$units/$1"; then
        rm "$units/.$1.new"
        say "$1 is up to date"
        return 1
    fi
    chmod 0644 "$units/.$1.new"
    mv "$units/.$1.new" "$units/$1"
    say "installed $units/$1"
}

make_config() {
    if [ -e "$config/environment" ]; then
        own_config
        return
    fi
    say "making $config/environment for your settings"
    if [ "$dry_run" = yes ]; then
        echo "  would make: $config/environment"
        return
    fi
    mkdir -p "$config"
    cat >"$config/environment" <<END
# Settings that differ from $prefix/settings.toml: SECTION__KEY=value, or the short names named there.
# The port is in market-data.socket.
END
    own_config
}

# keys and passwords stand there; the server reads it, at its start and on each reload
own_config() {
    run chown "$user" "$config/environment"
    run chmod 0600 "$config/environment"
}

start_service() {
    if [ ! -d /run/systemd/system ] || [ "$units" != /etc/systemd/system ]; then
        say "done; systemd does not run here or reads other units, so nothing was started"
        return
    fi
    run systemctl daemon-reload
    if [ "$port_changed" = yes ]; then
        run systemctl stop market-data.service market-data.socket
    fi
    run systemctl enable --quiet market-data.socket market-data.service
    run systemctl start market-data.socket
    run systemctl restart market-data.service
    say "done; see 'systemctl status market-data' and 'journalctl -u market-data'"
}

make_account
make_environment
copy_tree
make_config
port_changed=no
if install_unit market-data.socket; then port_changed=yes; fi
install_unit market-data.service || true
start_service
