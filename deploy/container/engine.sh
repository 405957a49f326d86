# A Docker engine, and what else deploy/check needs of Debian; read by it, and not run by itself. Sets `engine`, the id of
# the engine's process, if one was started, and DOCKER_HOST. Uses `work`, a directory, and `fail`.
# shellcheck shell=bash disable=SC2154

install_packages() {
    local missing=()
    command -v dockerd >/dev/null || docker info >/dev/null 2>&1 || missing+=(docker.io iptables)
    command -v docker-compose >/dev/null || missing+=(docker-compose)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v openssl >/dev/null || missing+=(openssl)
    [ ${#missing[@]} = 0 ] && return
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

# Starts an engine with the first options that work on this machine, unless one runs.
start_engine() {
    docker info >/dev/null 2>&1 && return
    local options state end
    export DOCKER_HOST=unix://$work/docker.sock
    for options in '' '--storage-driver=vfs' '--iptables=false' '--iptables=false --storage-driver=vfs'; do
        state=$work/engine
        mkdir -p "$state"
        # shellcheck disable=SC2086
        dockerd --host "$DOCKER_HOST" --data-root "$state/data" --exec-root "$state/run" --pidfile "$state/pid" \
            $options >"$state/log" 2>&1 &
        engine=$! end=$((SECONDS + 20))
        while kill -0 "$engine" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do
            if docker info >/dev/null 2>&1; then
                echo "dockerd $options"
                return
            fi
            sleep 0.2
        done
        kill "$engine" 2>/dev/null || true
        wait "$engine" || true
        engine=
        tail -3 "$state/log" >&2
    done
    fail "no Docker engine starts on this machine"
}
