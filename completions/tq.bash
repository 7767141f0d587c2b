# Completion of tq for bash: source <(tq completion bash)
# Generated from the definitions of the commands; do not edit.

# Sets REPLY to the kind of value that the option $2 of the command $1 takes; empty for a switch.
_tq_value() {
  REPLY=""
  case "$1" in
    "worker")
      case "$2" in
        -c | --concurrency) REPLY="@any" ;;
        -Q | --queues) REPLY="@queues," ;;
        -P | --pool) REPLY="prefork async" ;;
        --autoscale) REPLY="@any" ;;
        --max-tasks-per-child) REPLY="@any" ;;
        --max-memory-per-child) REPLY="@any" ;;
        -X | --exclude-queues) REPLY="@queues," ;;
        -n | --name) REPLY="@any" ;;
        --queue-order) REPLY="strict weighted fair" ;;
        --results) REPLY="@any" ;;
        --time-limit) REPLY="@any" ;;
        --soft-time-limit) REPLY="@any" ;;
        --shutdown-timeout) REPLY="@any" ;;
        --lock-duration) REPLY="@any" ;;
        --blocked-after) REPLY="@any" ;;
        --health-port) REPLY="@any" ;;
        --health-host) REPLY="@any" ;;
        --pidfile) REPLY="@files" ;;
        --logfile) REPLY="@files" ;;
      esac
      ;;
    "beat")
      case "$2" in
        -n | --name) REPLY="@any" ;;
        --health-port) REPLY="@any" ;;
        --health-host) REPLY="@any" ;;
        --pidfile) REPLY="@files" ;;
        --logfile) REPLY="@files" ;;
      esac
      ;;
    "call")
      case "$2" in
        --args) REPLY="@any" ;;
        --input) REPLY="@any" ;;
        --queue) REPLY="@queues" ;;
        --priority) REPLY="@any" ;;
        --countdown) REPLY="@any" ;;
        --eta) REPLY="@any" ;;
        --expires) REPLY="@any" ;;
        --id) REPLY="@any" ;;
        --header) REPLY="@any" ;;
      esac
      ;;
    "result")
      case "$2" in
        -Q | --queue) REPLY="@queues" ;;
        --results) REPLY="@any" ;;
      esac
      ;;
    "demo")
      case "$2" in
        --for) REPLY="@any" ;;
      esac
      ;;
    "status")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "health")
      case "$2" in
        --only) REPLY="@any," ;;
        --worker) REPLY="@workers" ;;
      esac
      ;;
    "events")
      case "$2" in
        --where) REPLY="@any" ;;
        --since) REPLY="@any" ;;
      esac
      ;;
    "inspect scheduled")
      case "$2" in
        -Q | --queues) REPLY="@queues," ;;
        --limit) REPLY="@any" ;;
      esac
      ;;
    "inspect active")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "inspect reserved")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "inspect revoked")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "inspect registered")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "inspect stats")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "inspect conf")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "inspect ping")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "jobs list")
      case "$2" in
        --where) REPLY="@any" ;;
        -Q | --queues) REPLY="@queues," ;;
        --limit) REPLY="@any" ;;
        --sort) REPLY="@any" ;;
      esac
      ;;
    "jobs show")
      case "$2" in
        -Q | --queue) REPLY="@queues" ;;
      esac
      ;;
    "jobs retry")
      case "$2" in
        -Q | --queue) REPLY="@queues" ;;
        --where) REPLY="@any" ;;
      esac
      ;;
    "dlq list")
      case "$2" in
        -Q | --queues) REPLY="@queues," ;;
        --where) REPLY="@any" ;;
        --fingerprint) REPLY="@any" ;;
        --limit) REPLY="@any" ;;
      esac
      ;;
    "dlq show")
      case "$2" in
        -Q | --queue) REPLY="@queues" ;;
      esac
      ;;
    "dlq stats")
      case "$2" in
        -Q | --queues) REPLY="@queues," ;;
        --where) REPLY="@any" ;;
        --fingerprint) REPLY="@any" ;;
      esac
      ;;
    "jobs cancel")
      case "$2" in
        --where) REPLY="@any" ;;
        -Q | --queue) REPLY="@queues" ;;
      esac
      ;;
    "jobs promote")
      case "$2" in
        --where) REPLY="@any" ;;
        -Q | --queue) REPLY="@queues" ;;
      esac
      ;;
    "jobs move")
      case "$2" in
        --where) REPLY="@any" ;;
        -Q | --queue) REPLY="@queues" ;;
        --to) REPLY="@queues" ;;
      esac
      ;;
    "jobs edit")
      case "$2" in
        --where) REPLY="@any" ;;
        -Q | --queue) REPLY="@queues" ;;
        --patch) REPLY="@any" ;;
        --args) REPLY="@any" ;;
        --priority) REPLY="@any" ;;
        --eta) REPLY="@any" ;;
      esac
      ;;
    "jobs export")
      case "$2" in
        --where) REPLY="@any" ;;
        -Q | --queue) REPLY="@queues" ;;
        -o | --output) REPLY="@files" ;;
      esac
      ;;
    "jobs import")
      case "$2" in
        -Q | --queue) REPLY="@queues" ;;
      esac
      ;;
    "dlq reprocess")
      case "$2" in
        --where) REPLY="@any" ;;
        --fingerprint) REPLY="@any" ;;
        --first) REPLY="@any" ;;
        --rate) REPLY="@any" ;;
        --stop-if-failing) REPLY="@any" ;;
        --queue) REPLY="@queues" ;;
        --patch) REPLY="@any" ;;
        --resume) REPLY="@any" ;;
      esac
      ;;
    "dlq purge")
      case "$2" in
        --where) REPLY="@any" ;;
        --fingerprint) REPLY="@any" ;;
      esac
      ;;
    "dlq edit")
      case "$2" in
        --where) REPLY="@any" ;;
        --fingerprint) REPLY="@any" ;;
        --patch) REPLY="@any" ;;
        --args) REPLY="@any" ;;
        --priority) REPLY="@any" ;;
      esac
      ;;
    "dlq export")
      case "$2" in
        --where) REPLY="@any" ;;
        --fingerprint) REPLY="@any" ;;
        -o | --output) REPLY="@files" ;;
      esac
      ;;
    "why")
      case "$2" in
        -Q | --queue) REPLY="@queues" ;;
        --results) REPLY="@any" ;;
      esac
      ;;
    "trace")
      case "$2" in
        -Q | --queue) REPLY="@queues" ;;
      esac
      ;;
    "results list")
      case "$2" in
        --where) REPLY="@any" ;;
        --limit) REPLY="@any" ;;
        --sort) REPLY="@any" ;;
        --results) REPLY="@any" ;;
      esac
      ;;
    "purge")
      case "$2" in
        -Q | --queues) REPLY="@queues," ;;
      esac
      ;;
    "control revoke")
      case "$2" in
        -Q | --queue) REPLY="@queues" ;;
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control pool-grow")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control pool-shrink")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control autoscale")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control add-consumer")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control cancel-consumer")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control time-limit")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control rate-limit")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control shutdown")
      case "$2" in
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "control call")
      case "$2" in
        --args) REPLY="@any" ;;
        -d | --destination) REPLY="@workers," ;;
      esac
      ;;
    "schedule list")
      case "$2" in
        --where) REPLY="@any" ;;
        --sort) REPLY="name next" ;;
        --limit) REPLY="@any" ;;
      esac
      ;;
    "schedule next")
      case "$2" in
        -n | --count) REPLY="@any" ;;
        --from) REPLY="@any" ;;
        --every) REPLY="@any" ;;
        --cron) REPLY="@any" ;;
        --at) REPLY="@any" ;;
        --solar) REPLY="@any" ;;
        --lat) REPLY="@any" ;;
        --lon) REPLY="@any" ;;
        --timezone) REPLY="@any" ;;
        --start) REPLY="@any" ;;
        --end) REPLY="@any" ;;
        --max-runs) REPLY="@any" ;;
      esac
      ;;
    "schedule add")
      case "$2" in
        --task) REPLY="@tasks" ;;
        --every) REPLY="@any" ;;
        --cron) REPLY="@any" ;;
        --at) REPLY="@any" ;;
        --solar) REPLY="@any" ;;
        --lat) REPLY="@any" ;;
        --lon) REPLY="@any" ;;
        --timezone) REPLY="@any" ;;
        --start) REPLY="@any" ;;
        --end) REPLY="@any" ;;
        --max-runs) REPLY="@any" ;;
        --jitter) REPLY="@any" ;;
        --args) REPLY="@any" ;;
        --input) REPLY="@any" ;;
        --queue) REPLY="@queues" ;;
        --priority) REPLY="@any" ;;
        --expires) REPLY="@any" ;;
        --soft-time-limit) REPLY="@any" ;;
        --time-limit) REPLY="@any" ;;
        --header) REPLY="@any" ;;
        --overlap) REPLY="allow skip replace" ;;
        --missed) REPLY="skip once all" ;;
        --missed-within) REPLY="@any" ;;
        --missed-at-most) REPLY="@any" ;;
        --description) REPLY="@any" ;;
      esac
      ;;
    "schedule remove")
      case "$2" in
        --where) REPLY="@any" ;;
      esac
      ;;
    "schedule pause")
      case "$2" in
        --where) REPLY="@any" ;;
      esac
      ;;
    "schedule resume")
      case "$2" in
        --where) REPLY="@any" ;;
      esac
      ;;
    "audit")
      case "$2" in
        --where) REPLY="@any" ;;
        --limit) REPLY="@any" ;;
      esac
      ;;
    "profile add")
      case "$2" in
        --results) REPLY="@any" ;;
      esac
      ;;
    "migrate")
      case "$2" in
        --from) REPLY="@any" ;;
        --to) REPLY="@any" ;;
        -Q | --queues) REPLY="@queues," ;;
        --results) REPLY="@any" ;;
      esac
      ;;
  esac
  [[ -n $REPLY ]] && return
  case "$2" in
    -A | --app) REPLY="@files" ;;
    -b | --broker) REPLY="@any" ;;
    --profile) REPLY="@any" ;;
    -l | --log-level) REPLY="trace debug info warn error fatal silent" ;;
    --timeout) REPLY="@any" ;;
    --confirm) REPLY="@any" ;;
  esac
}

# Sets REPLY to the kind of the argument number $2 of the command $1.
_tq_argument() {
  REPLY=""
  case "$1:$2" in
    "call:0") REPLY="@tasks" ;;
    "result:0") REPLY="@ids" ;;
    "jobs show:0") REPLY="@ids" ;;
    "jobs retry:0") REPLY="@ids" ;;
    "dlq show:0") REPLY="@ids" ;;
    "jobs cancel:0") REPLY="@ids" ;;
    "jobs promote:0") REPLY="@ids" ;;
    "jobs move:0") REPLY="@ids" ;;
    "jobs edit:0") REPLY="@ids" ;;
    "jobs export:0") REPLY="@ids" ;;
    "jobs import:0") REPLY="@files" ;;
    "dlq reprocess:0") REPLY="@ids" ;;
    "dlq purge:0") REPLY="@ids" ;;
    "dlq edit:0") REPLY="@ids" ;;
    "dlq export:0") REPLY="@ids" ;;
    "why:0") REPLY="@ids" ;;
    "trace:0") REPLY="@ids" ;;
    "control revoke:0") REPLY="@ids" ;;
    "control pool-grow:0") REPLY="@any" ;;
    "control pool-shrink:0") REPLY="@any" ;;
    "control autoscale:0") REPLY="@any" ;;
    "control autoscale:1") REPLY="@any" ;;
    "control add-consumer:0") REPLY="@queues" ;;
    "control cancel-consumer:0") REPLY="@queues" ;;
    "control time-limit:0") REPLY="@tasks" ;;
    "control time-limit:1") REPLY="@any" ;;
    "control time-limit:2") REPLY="@any" ;;
    "queue pause:0") REPLY="@queues" ;;
    "queue resume:0") REPLY="@queues" ;;
    "task pause:0") REPLY="@tasks" ;;
    "task resume:0") REPLY="@tasks" ;;
    "control rate-limit:0") REPLY="@tasks" ;;
    "control rate-limit:1") REPLY="@any" ;;
    "control call:0") REPLY="@any" ;;
    "schedule show:0") REPLY="@entries" ;;
    "schedule next:0") REPLY="@entries" ;;
    "schedule add:0") REPLY="@any" ;;
    "schedule remove:0") REPLY="@entries" ;;
    "schedule pause:0") REPLY="@entries" ;;
    "schedule resume:0") REPLY="@entries" ;;
    "schedule run:0") REPLY="@entries" ;;
    "undo:0") REPLY="@any" ;;
    "profile use:0") REPLY="@any" ;;
    "profile add:0") REPLY="@any" ;;
    "profile remove:0") REPLY="@any" ;;
    "completion:0") REPLY="bash zsh fish" ;;
  esac
}

# Sets REPLY to the words that can follow the command $1: further words, and options.
_tq_words() {
  case "$1" in
    "") REPLY="inspect jobs dlq results schedule profile queue task control worker beat call result demo status health events why doctor trace purge undo audit migrate completion -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect") REPLY="queues scheduled active reserved revoked registered stats conf ping -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs") REPLY="list show retry cancel promote move edit export import -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "dlq") REPLY="list show stats reprocess purge edit export -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "results") REPLY="list -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule") REPLY="list show next add remove pause resume run -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "profile") REPLY="list use add remove -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "queue") REPLY="pause resume -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "task") REPLY="pause resume -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control") REPLY="revoke pool-grow pool-shrink autoscale add-consumer cancel-consumer time-limit rate-limit shutdown call -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "worker") REPLY="-c --concurrency -Q --queues -P --pool --autoscale --max-tasks-per-child --max-memory-per-child -X --exclude-queues -n --name --queue-order --results --time-limit --soft-time-limit --shutdown-timeout --lock-duration --blocked-after --beat --burst --health-port --health-host --pidfile --watch --logfile -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "beat") REPLY="--take-code --take-stored -n --name --health-port --health-host --pidfile --logfile -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "call") REPLY="--args --input --queue --priority --countdown --eta --expires --id --header --wait -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "result") REPLY="-Q --queue --wait --results -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "demo") REPLY="--for -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "status") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "health") REPLY="--only --worker --beat --strict -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "events") REPLY="--where --since -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect queues") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect scheduled") REPLY="-Q --queues --limit -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect active") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect reserved") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect revoked") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect registered") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect stats") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect conf") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "inspect ping") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs list") REPLY="--where -Q --queues --limit --sort --follow -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs show") REPLY="-Q --queue -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs retry") REPLY="-Q --queue --where --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "dlq list") REPLY="-Q --queues --where --fingerprint --limit -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "dlq show") REPLY="-Q --queue -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "dlq stats") REPLY="-Q --queues --where --fingerprint -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs cancel") REPLY="--where -Q --queue --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs promote") REPLY="--where -Q --queue --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs move") REPLY="--where -Q --queue --to --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs edit") REPLY="--where -Q --queue --patch --args --priority --eta --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs export") REPLY="--where -Q --queue --all -o --output --force -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "jobs import") REPLY="-Q --queue --skip-invalid --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "dlq reprocess") REPLY="--where --fingerprint --all --first --rate --stop-if-failing --queue --patch --resume --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "dlq purge") REPLY="--where --fingerprint --all --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "dlq edit") REPLY="--where --fingerprint --all --patch --args --priority --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "dlq export") REPLY="--where --fingerprint --all -o --output --force -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "why") REPLY="-Q --queue --results -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "doctor") REPLY="--fix -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "trace") REPLY="-Q --queue --all --mermaid -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "results list") REPLY="--where --limit --sort --results -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "purge") REPLY="-Q --queues --all --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control revoke") REPLY="-Q --queue --terminate -d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control pool-grow") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control pool-shrink") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control autoscale") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control add-consumer") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control cancel-consumer") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control time-limit") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "queue pause") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "queue resume") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "task pause") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "task resume") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control rate-limit") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control shutdown") REPLY="-d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "control call") REPLY="--args -d --destination -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule list") REPLY="--where --sort --limit -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule show") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule next") REPLY="-n --count --from --every --cron --at --solar --lat --lon --timezone --start --end --max-runs -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule add") REPLY="--task --every --cron --at --solar --lat --lon --timezone --start --end --max-runs --jitter --args --input --queue --priority --expires --soft-time-limit --time-limit --header --overlap --missed --missed-within --missed-at-most --description --paused --replace -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule remove") REPLY="--where --all -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule pause") REPLY="--where --all -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule resume") REPLY="--where --all -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "schedule run") REPLY="--wait -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "undo") REPLY="--force --no-undo -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "audit") REPLY="--where --limit -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "profile list") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "profile use") REPLY="--none -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "profile add") REPLY="--results --protected -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "profile remove") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "migrate") REPLY="--from --to -Q --queues --results -A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    "completion") REPLY="-A --app -b --broker --profile --json -q --quiet --no-color -l --log-level --timeout --yes --dry-run --write --confirm -h --help" ;;
    *) REPLY="" ;;
  esac
}

# Offers what $1 says: words, or @ and what to look up; a comma after it allows several.
_tq_offer() {
  local kind="$1" typed="$2" before="" name
  if [[ $kind == *, ]]; then
    kind="${kind%,}"
    if [[ $typed == *,* ]]; then
      before="${typed%,*},"
      typed="${typed##*,}"
    fi
  fi
  case "$kind" in
    @any) ;;
    @files)
      while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$typed")
      compopt -o filenames 2>/dev/null
      ;;
    @*)
      while IFS= read -r name; do
        [[ $name == "$typed"* ]] && COMPREPLY+=("$before$(printf '%q' "$name")")
      done < <("${COMP_WORDS[0]}" ${globals[@]+"${globals[@]}"} __complete "${kind#@}" 2>/dev/null </dev/null)
      ;;
    *) while IFS= read -r name; do COMPREPLY+=("$before$name"); done < <(compgen -W "$kind" -- "$typed") ;;
  esac
}

_tq() {
  local typed="${COMP_WORDS[COMP_CWORD]}" command="" count=0 awaited="" flag="" word i REPLY
  local -a globals=()
  COMPREPLY=()
  [[ $typed == "=" ]] && typed=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    # bash splits `--app=file` into three words.
    [[ $word == "=" ]] && continue
    if [[ -n $awaited ]]; then
      case "$flag" in -A | --app | -b | --broker) globals+=("$flag" "$word") ;; esac
      awaited=""
    elif [[ $word == -* ]]; then
      flag="$word"
      _tq_value "$command" "$flag"
      awaited="$REPLY"
    else
      case "${command:+$command }$word" in
        "inspect" | "jobs" | "dlq" | "results" | "schedule" | "profile" | "queue" | "task" | "control" | "worker" | "beat" | "call" | "result" | "demo" | "status" | "health" | "events" | "inspect queues" | "inspect scheduled" | "inspect active" | "inspect reserved" | "inspect revoked" | "inspect registered" | "inspect stats" | "inspect conf" | "inspect ping" | "jobs list" | "jobs show" | "jobs retry" | "dlq list" | "dlq show" | "dlq stats" | "jobs cancel" | "jobs promote" | "jobs move" | "jobs edit" | "jobs export" | "jobs import" | "dlq reprocess" | "dlq purge" | "dlq edit" | "dlq export" | "why" | "doctor" | "trace" | "results list" | "purge" | "control revoke" | "control pool-grow" | "control pool-shrink" | "control autoscale" | "control add-consumer" | "control cancel-consumer" | "control time-limit" | "queue pause" | "queue resume" | "task pause" | "task resume" | "control rate-limit" | "control shutdown" | "control call" | "schedule list" | "schedule show" | "schedule next" | "schedule add" | "schedule remove" | "schedule pause" | "schedule resume" | "schedule run" | "undo" | "audit" | "profile list" | "profile use" | "profile add" | "profile remove" | "migrate" | "completion") command="${command:+$command }$word" ;;
        *) count=$((count + 1)) ;;
      esac
    fi
  done
  if [[ -n $awaited ]]; then
    _tq_offer "$awaited" "$typed"
    return
  fi
  _tq_argument "$command" "$count"
  if [[ -n $REPLY && $typed != -* ]]; then
    _tq_offer "$REPLY" "$typed"
    return
  fi
  _tq_words "$command"
  _tq_offer "$REPLY" "$typed"
}

# A name of a worker is one word for bash only when @ breaks none.
COMP_WORDBREAKS="${COMP_WORDBREAKS//@/}"
complete -F _tq tq
