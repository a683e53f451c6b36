#!/bin/sh
# What a person types about a commit, in a clone whose remote some CI builds: green, red, skipped.
# Nothing in here knows which kind of CI it is. HOMELAB is the command to run.
set -u
homelab=${HOMELAB:-homelab}
said=$(mktemp)
trap 'rm -f "$said"' EXIT

push() { # command, message
    mkdir -p .github/workflows
    printf 'steps:\n  - name: test\n    image: bash\n    commands:\n      - %s\n' "$1" > .woodpecker.yaml
    printf 'on: [push]\njobs:\n  build:\n    runs-on: docker\n    steps:\n      - run: %s\n' "$1" > .github/workflows/ci.yml
    git add --all
    git commit --quiet -m "$2"
    git push --quiet origin HEAD:refs/heads/main
}

expect() { # exit code, words of `homelab ci`
    wanted=$1
    shift
    $homelab ci "$@" > "$said" 2>&1
    code=$?
    echo "homelab ci $*: exit $code: $(tail -n 1 "$said")"
    if [ "$code" != "$wanted" ]; then
        echo "expected $wanted; it said:"
        cat "$said"
        exit 1
    fi
}

push 'sleep 0.2; echo fine' 'Make it green'
expect 0 watch --timeout 60
expect 0 status
push 'echo about to break; exit 3' 'Break it'
expect 1 watch --timeout 60
expect 1 status
push 'echo never run' 'Write docs [skip ci]'
expect 7 watch --appear-timeout 1
echo "the same on every kind of CI"
