# Completion of tq for fish: save as ~/.config/fish/completions/tq.fish
# Generated from the definitions of the commands; do not edit.

# Prints the words that name the command, and on a second line how many arguments follow them.
function __tq_state
    set -l words (commandline -opc)
    set -e words[1]
    set -l command
    set -l count 0
    set -l skip no
    for word in $words
        if test $skip = yes
            set skip no
            continue
        end
        switch $word
            case -A --app -b --broker --profile -l --log-level --timeout --confirm -c --concurrency -Q --queues -P --pool --autoscale --max-tasks-per-child --max-memory-per-child -X --exclude-queues -n --name --queue-order --results --time-limit --soft-time-limit --shutdown-timeout --lock-duration --blocked-after --health-port --health-host --pidfile --logfile --args --input --queue --priority --countdown --eta --expires --id --header --for -d --destination --where --since --limit --fingerprint --to --patch --first --rate --stop-if-failing --resume --sort
                set skip yes
            case '-*'
            case '*'
                if contains -- (string join ' ' -- $command $word) 'inspect' 'jobs' 'dlq' 'results' 'profile' 'queue' 'task' 'control' 'worker' 'call' 'result' 'demo' 'status' 'events' 'inspect queues' 'inspect scheduled' 'inspect active' 'inspect reserved' 'inspect revoked' 'inspect registered' 'inspect stats' 'inspect conf' 'inspect ping' 'jobs show' 'jobs retry' 'dlq list' 'dlq show' 'dlq stats' 'jobs cancel' 'jobs promote' 'jobs move' 'jobs edit' 'dlq reprocess' 'dlq purge' 'dlq edit' 'why' 'doctor' 'trace' 'results list' 'purge' 'control revoke' 'control pool-grow' 'control pool-shrink' 'control autoscale' 'control add-consumer' 'control cancel-consumer' 'control time-limit' 'queue pause' 'queue resume' 'task pause' 'task resume' 'control rate-limit' 'control shutdown' 'control call' 'undo' 'audit' 'profile list' 'profile use' 'profile add' 'profile remove' 'migrate' 'completion'
                    set -a command $word
                else
                    set count (math $count + 1)
                end
        end
    end
    echo "$command"
    echo $count
end

# Whether the command is $argv[1], with $argv[2] arguments if that is given.
function __tq_at
    set -l state (__tq_state)
    test "$state[1]" = "$argv[1]"; or return 1
    test (count $argv) -lt 2; or test "$state[2]" = "$argv[2]"
end

# Names of tasks, queues, workers or jobs, from the broker and the app of the command line.
function __tq_names
    set -l given
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        if contains -- $words[$i] -A --app -b --broker
            set -a given $words[$i] $words[(math $i + 1)]
        end
    end
    command tq $given __complete $argv[1] 2>/dev/null </dev/null
end

# The same behind the names that were typed already, with commas between them.
function __tq_more_names
    set -l before (commandline -ct | string match -r '^.*,')
    printf '%s\n' "$before"(__tq_names $argv[1])
end

complete -c tq -f
complete -c tq -s A -l app -r -F -d 'module that exports the app'
complete -c tq -s b -l broker -x -d 'store that jobs live in, default sqlite:.tq/tq.db'
complete -c tq -l profile -x -d 'profile that names the broker (tq profile)'
complete -c tq -l json -d 'print one JSON document'
complete -c tq -s q -l quiet -d 'print no notes, only results and errors'
complete -c tq -l no-color -d 'print no colours'
complete -c tq -s l -l log-level -x -a 'trace debug info warn error fatal silent' -d 'least level that is logged'
complete -c tq -l timeout -x -d 'how long to wait for workers and results'
complete -c tq -l yes -d 'do not ask before something is changed'
complete -c tq -l dry-run -d 'show what would be changed, and change nothing'
complete -c tq -l write -d 'change something in a protected profile'
complete -c tq -l confirm -x -d 'name that a protected profile has typed before it removes many jobs'
complete -c tq -s h -l help -d 'show help'

complete -c tq -n '__tq_at "" 0' -a inspect -d 'Look at queues, scheduled jobs and live workers'
complete -c tq -n '__tq_at "" 0' -a jobs -d 'Look at jobs, retry, cancel, move and change them'
complete -c tq -n '__tq_at "" 0' -a dlq -d 'Look at dead letters, send them back to work, remove them'
complete -c tq -n '__tq_at "" 0' -a results -d 'Look at results that outlive the broker'
complete -c tq -n '__tq_at "" 0' -a profile -d 'Keep brokers under names'
complete -c tq -n '__tq_at "" 0' -a queue -d 'Pause and resume queues'
complete -c tq -n '__tq_at "" 0' -a task -d 'Pause and resume tasks'
complete -c tq -n '__tq_at "" 0' -a control -d 'Tell live workers what to do'
complete -c tq -n '__tq_at "" 0' -a worker -d 'Run the jobs of queues until stopped'
complete -c tq -n '__tq_at "" 0' -a call -d 'Call a task: enqueue one job'
complete -c tq -n '__tq_at "" 0' -a result -d 'Show the state and the result of a job'
complete -c tq -n '__tq_at "" 0' -a demo -d 'Watch a worker at work, on a throw-away broker'
complete -c tq -n '__tq_at "" 0' -a status -d 'Show the live workers and the queues in one view'
complete -c tq -n '__tq_at "" 0' -a events -d 'Tell what happens to jobs and workers, as it happens'
complete -c tq -n '__tq_at "" 0' -a why -d 'Say why a job does not run, or what happened to it'
complete -c tq -n '__tq_at "" 0' -a doctor -d 'Check the broker, its queues and the workers for what can harm jobs'
complete -c tq -n '__tq_at "" 0' -a trace -d 'Show a workflow as a whole: its tree and its timeline'
complete -c tq -n '__tq_at "" 0' -a purge -d 'Remove the waiting and scheduled jobs of queues'
complete -c tq -n '__tq_at "" 0' -a undo -d 'Put back what an operation removed or changed, or list what can be'
complete -c tq -n '__tq_at "" 0' -a audit -d 'List who changed what, the last first'
complete -c tq -n '__tq_at "" 0' -a migrate -d 'Create or upgrade the schemas of the broker and of the result store'
complete -c tq -n '__tq_at "" 0' -a completion -d 'Print the completion script of a shell'
complete -c tq -n '__tq_at "inspect" 0' -a queues -d 'List every queue of the broker, and the dead letters of all of them last'
complete -c tq -n '__tq_at "inspect" 0' -a scheduled -d 'List the jobs that wait for their time, the next due first'
complete -c tq -n '__tq_at "inspect" 0' -a active -d 'List the jobs that the live workers run, and those that no live worker claims'
complete -c tq -n '__tq_at "inspect" 0' -a reserved -d 'List the jobs that the live workers have taken and not started'
complete -c tq -n '__tq_at "inspect" 0' -a revoked -d 'List the revoked jobs that workers ended, and those that still lie in the broker'
complete -c tq -n '__tq_at "inspect" 0' -a registered -d 'List the tasks that the live workers register'
complete -c tq -n '__tq_at "inspect" 0' -a stats -d 'Show what the live workers have done and what they use'
complete -c tq -n '__tq_at "inspect" 0' -a conf -d 'Show the settings that the live workers run with'
complete -c tq -n '__tq_at "inspect" 0' -a ping -d 'Ask the live workers whether they answer'
complete -c tq -n '__tq_at "jobs" 0' -a show -d 'Show everything about one job'
complete -c tq -n '__tq_at "jobs" 0' -a retry -d 'Send dead letters back to work, of a workflow all'
complete -c tq -n '__tq_at "jobs" 0' -a cancel -d 'Remove jobs that have not started'
complete -c tq -n '__tq_at "jobs" 0' -a promote -d 'Let scheduled jobs start now'
complete -c tq -n '__tq_at "jobs" 0' -a move -d 'Put jobs that do not run into another queue'
complete -c tq -n '__tq_at "jobs" 0' -a edit -d 'Change the arguments, the priority or the time of jobs that do not run'
complete -c tq -n '__tq_at "dlq" 0' -a list -d 'List dead letters, the latest first'
complete -c tq -n '__tq_at "dlq" 0' -a show -d 'Show everything about one dead letter'
complete -c tq -n '__tq_at "dlq" 0' -a stats -d 'Count dead letters by what they died of'
complete -c tq -n '__tq_at "dlq" 0' -a reprocess -d 'Send dead letters back to work, at a pace, as long as they succeed'
complete -c tq -n '__tq_at "dlq" 0' -a purge -d 'Remove dead letters'
complete -c tq -n '__tq_at "dlq" 0' -a edit -d 'Change the arguments or the priority of dead letters'
complete -c tq -n '__tq_at "results" 0' -a list -d 'List the jobs that have ended, from the result store'
complete -c tq -n '__tq_at "profile" 0' -a list -d 'List the profiles, and say which one is used'
complete -c tq -n '__tq_at "profile" 0' -a use -d 'Use a profile wherever no other broker is named, or none'
complete -c tq -n '__tq_at "profile" 0' -a add -d 'Keep a broker under a name'
complete -c tq -n '__tq_at "profile" 0' -a remove -d 'Forget a profile'
complete -c tq -n '__tq_at "queue" 0' -a pause -d 'Pause queues: no worker takes jobs of them'
complete -c tq -n '__tq_at "queue" 0' -a resume -d 'Resume queues that are paused'
complete -c tq -n '__tq_at "task" 0' -a pause -d 'Pause tasks in all queues, while other tasks run on'
complete -c tq -n '__tq_at "task" 0' -a resume -d 'Resume paused tasks: their held jobs are the next of their queues'
complete -c tq -n '__tq_at "control" 0' -a revoke -d 'Revoke jobs and workflows: never start what waits, abort what runs'
complete -c tq -n '__tq_at "control" 0' -a pool-grow -d 'Give live workers more slots'
complete -c tq -n '__tq_at "control" 0' -a pool-shrink -d 'Take slots from live workers'
complete -c tq -n '__tq_at "control" 0' -a autoscale -d 'Change the bounds of workers that change their slots by need'
complete -c tq -n '__tq_at "control" 0' -a add-consumer -d 'Have live workers serve a further queue'
complete -c tq -n '__tq_at "control" 0' -a cancel-consumer -d 'Have live workers serve a queue no more'
complete -c tq -n '__tq_at "control" 0' -a time-limit -d 'Change the time limits of a task in live workers'
complete -c tq -n '__tq_at "control" 0' -a rate-limit -d 'Change how often live workers start a task, until they restart'
complete -c tq -n '__tq_at "control" 0' -a shutdown -d 'Stop live workers as their first SIGTERM does'
complete -c tq -n '__tq_at "control" 0' -a call -d 'Ask live workers for a control command of their application'

complete -c tq -n '__tq_at "worker"' -s c -l concurrency -x -d 'slots: jobs that run at once (default: number of CPUs)'
complete -c tq -n '__tq_at "worker"' -s Q -l queues -x -a '(__tq_more_names queues)' -d 'queues to serve, in order; high:6 has the weight 6 (default: those of the app)'
complete -c tq -n '__tq_at "worker"' -s P -l pool -x -a 'prefork async' -d 'where jobs run: prefork in child processes, async in the event loop (default: prefork)'
complete -c tq -n '__tq_at "worker"' -l autoscale -x -d 'in place of --concurrency: so many slots at most and at least (1), by need'
complete -c tq -n '__tq_at "worker"' -l max-tasks-per-child -x -d 'replace a child process after so many jobs'
complete -c tq -n '__tq_at "worker"' -l max-memory-per-child -x -d 'replace a child process that holds more memory after a job; also 500MB'
complete -c tq -n '__tq_at "worker"' -s X -l exclude-queues -x -a '(__tq_more_names queues)' -d 'queues to leave out'
complete -c tq -n '__tq_at "worker"' -s n -l name -x -d 'name of the worker; %h host name, %p process id, %n the first free number (default: tq@%h)'
complete -c tq -n '__tq_at "worker"' -l queue-order -x -a 'strict weighted fair' -d 'which queue goes first when several have jobs (default: strict)'
complete -c tq -n '__tq_at "worker"' -l results -x -d 'store that results are kept in beside the broker: postgres:// or sqlite:'
complete -c tq -n '__tq_at "worker"' -l time-limit -x -d 'fail an attempt that runs longer'
complete -c tq -n '__tq_at "worker"' -l soft-time-limit -x -d 'abort the signal of an attempt that runs longer'
complete -c tq -n '__tq_at "worker"' -l shutdown-timeout -x -d 'how long running jobs may go on after a stop (default: 25s)'
complete -c tq -n '__tq_at "worker"' -l lock-duration -x -d 'a blocked worker keeps its jobs for this, those of a dead one run elsewhere within twice this (default: 30s)'
complete -c tq -n '__tq_at "worker"' -l blocked-after -x -d 'log a task that blocks the event loop for longer (default: 1s)'
complete -c tq -n '__tq_at "worker"' -l burst -d 'exit when no job waits any more'
complete -c tq -n '__tq_at "worker"' -l health-port -x -d 'serve /healthz and /readyz on this port; 0 takes a free one'
complete -c tq -n '__tq_at "worker"' -l health-host -x -d 'address of the health port (default: all interfaces)'
complete -c tq -n '__tq_at "worker"' -l pidfile -r -F -d 'write the process id to this file while it runs'
complete -c tq -n '__tq_at "worker"' -l watch -d 'restart when source files change'
complete -c tq -n '__tq_at "worker"' -l logfile -r -F -d 'append logs to this file'
complete -c tq -n '__tq_at "call"' -l args -x -d 'the arguments, a JSON array'
complete -c tq -n '__tq_at "call"' -l input -x -d 'the only argument, any JSON value; - reads it from stdin'
complete -c tq -n '__tq_at "call"' -l queue -x -a '(__tq_names queues)' -d 'queue to use in place of that of the task'
complete -c tq -n '__tq_at "call"' -l priority -x -d '0 to 9, 9 goes first; for queues with priorities'
complete -c tq -n '__tq_at "call"' -l countdown -x -d 'start no earlier than this long from now'
complete -c tq -n '__tq_at "call"' -l eta -x -d 'start no earlier than this instant, ISO 8601'
complete -c tq -n '__tq_at "call"' -l expires -x -d 'revoke it if it has not started within this duration, or by this date'
complete -c tq -n '__tq_at "call"' -l id -x -d 'id of the job; a job with an id that is stored already is left as it is'
complete -c tq -n '__tq_at "call"' -l header -x -d 'header of the job; may be given several times'
complete -c tq -n '__tq_at "call"' -l wait -d 'wait until the job has ended, at most --timeout'
complete -c tq -n '__tq_at "call" 0' -a '(__tq_names tasks)'
complete -c tq -n '__tq_at "result"' -s Q -l queue -x -a '(__tq_names queues)' -d 'the queue that holds the job (default: every queue is searched)'
complete -c tq -n '__tq_at "result"' -l wait -d 'wait until the job has ended, at most --timeout'
complete -c tq -n '__tq_at "result"' -l results -x -d 'store that results are kept in beside the broker: postgres:// or sqlite:'
complete -c tq -n '__tq_at "result" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "demo"' -l for -x -d 'end after this long'
complete -c tq -n '__tq_at "status"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "events"' -l where -x -d 'only those that a query takes: \'type:failed task:email.*\' (docs/queries.md)'
complete -c tq -n '__tq_at "events"' -l since -x -d 'begin in the past: a duration such as 10m, or an ISO 8601 date'
complete -c tq -n '__tq_at "inspect scheduled"' -s Q -l queues -x -a '(__tq_more_names queues)' -d 'queues, with commas between them'
complete -c tq -n '__tq_at "inspect scheduled"' -l limit -x -d 'jobs to list, 100 without it'
complete -c tq -n '__tq_at "inspect active"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "inspect reserved"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "inspect revoked"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "inspect registered"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "inspect stats"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "inspect conf"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "inspect ping"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "jobs show"' -s Q -l queue -x -a '(__tq_names queues)' -d 'the queue that holds the job (default: every queue is searched)'
complete -c tq -n '__tq_at "jobs show" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "jobs retry"' -s Q -l queue -x -a '(__tq_names queues)' -d 'the queue that holds the job (default: every queue is searched)'
complete -c tq -n '__tq_at "jobs retry"' -l where -x -d 'dead letters that a query takes: \'task:email.* error~timeout\' (docs/queries.md)'
complete -c tq -n '__tq_at "jobs retry" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "dlq list"' -s Q -l queues -x -a '(__tq_more_names queues)' -d 'queues, with commas between them'
complete -c tq -n '__tq_at "dlq list"' -l where -x -d 'only those that a query takes: \'task:email.* error~timeout\' (docs/queries.md)'
complete -c tq -n '__tq_at "dlq list"' -l fingerprint -x -d 'those of this error, as `tq dlq stats` groups them'
complete -c tq -n '__tq_at "dlq list"' -l limit -x -d 'dead letters to list, 100 without it'
complete -c tq -n '__tq_at "dlq show"' -s Q -l queue -x -a '(__tq_names queues)' -d 'the queue that holds the job (default: every queue is searched)'
complete -c tq -n '__tq_at "dlq show" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "dlq stats"' -s Q -l queues -x -a '(__tq_more_names queues)' -d 'queues, with commas between them'
complete -c tq -n '__tq_at "dlq stats"' -l where -x -d 'only those that a query takes: \'task:email.* error~timeout\' (docs/queries.md)'
complete -c tq -n '__tq_at "dlq stats"' -l fingerprint -x -d 'those of this error, as `tq dlq stats` groups them'
complete -c tq -n '__tq_at "jobs cancel"' -l where -x -d 'those that a query takes: \'task:email.* error~timeout age>1h\' (docs/queries.md)'
complete -c tq -n '__tq_at "jobs cancel"' -s Q -l queue -x -a '(__tq_names queues)' -d 'only jobs of this queue; alone, all of them that the command is about'
complete -c tq -n '__tq_at "jobs cancel" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "jobs promote"' -l where -x -d 'those that a query takes: \'task:email.* error~timeout age>1h\' (docs/queries.md)'
complete -c tq -n '__tq_at "jobs promote"' -s Q -l queue -x -a '(__tq_names queues)' -d 'only jobs of this queue; alone, all of them that the command is about'
complete -c tq -n '__tq_at "jobs promote" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "jobs move"' -l where -x -d 'those that a query takes: \'task:email.* error~timeout age>1h\' (docs/queries.md)'
complete -c tq -n '__tq_at "jobs move"' -s Q -l queue -x -a '(__tq_names queues)' -d 'only jobs of this queue; alone, all of them that the command is about'
complete -c tq -n '__tq_at "jobs move"' -l to -x -a '(__tq_names queues)' -d 'the queue that they go to'
complete -c tq -n '__tq_at "jobs move" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "jobs edit"' -l where -x -d 'those that a query takes: \'task:email.* error~timeout age>1h\' (docs/queries.md)'
complete -c tq -n '__tq_at "jobs edit"' -s Q -l queue -x -a '(__tq_names queues)' -d 'only jobs of this queue; alone, all of them that the command is about'
complete -c tq -n '__tq_at "jobs edit"' -l patch -x -d 'merged into the first argument, null removes a key (JSON Merge Patch)'
complete -c tq -n '__tq_at "jobs edit"' -l args -x -d 'a JSON array in place of all arguments'
complete -c tq -n '__tq_at "jobs edit"' -l priority -x -d 'from 0 to 9, 9 first'
complete -c tq -n '__tq_at "jobs edit"' -l eta -x -d 'when a scheduled job is due, ISO 8601'
complete -c tq -n '__tq_at "jobs edit" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "dlq reprocess"' -l where -x -d 'those that a query takes: \'task:email.* error~timeout age>1h\' (docs/queries.md)'
complete -c tq -n '__tq_at "dlq reprocess"' -l fingerprint -x -d 'those of this error, as `tq dlq stats` groups them'
complete -c tq -n '__tq_at "dlq reprocess"' -l all -d 'every dead letter of every queue'
complete -c tq -n '__tq_at "dlq reprocess"' -l first -x -d 'only so many: a canary'
complete -c tq -n '__tq_at "dlq reprocess"' -l rate -x -d 'no faster than this: 20/s, 100/m'
complete -c tq -n '__tq_at "dlq reprocess"' -l stop-if-failing -x -d 'stop when more than so many of them fail: 5%'
complete -c tq -n '__tq_at "dlq reprocess"' -l queue -x -a '(__tq_names queues)' -d 'the queue that they go to (default: their own)'
complete -c tq -n '__tq_at "dlq reprocess"' -l patch -x -d 'merged into the first argument, null removes a key (JSON Merge Patch)'
complete -c tq -n '__tq_at "dlq reprocess"' -l resume -x -d 'go on with an earlier run: what has died since then is left alone'
complete -c tq -n '__tq_at "dlq reprocess" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "dlq purge"' -l where -x -d 'those that a query takes: \'task:email.* error~timeout age>1h\' (docs/queries.md)'
complete -c tq -n '__tq_at "dlq purge"' -l fingerprint -x -d 'those of this error, as `tq dlq stats` groups them'
complete -c tq -n '__tq_at "dlq purge"' -l all -d 'every dead letter of every queue'
complete -c tq -n '__tq_at "dlq purge" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "dlq edit"' -l where -x -d 'those that a query takes: \'task:email.* error~timeout age>1h\' (docs/queries.md)'
complete -c tq -n '__tq_at "dlq edit"' -l fingerprint -x -d 'those of this error, as `tq dlq stats` groups them'
complete -c tq -n '__tq_at "dlq edit"' -l all -d 'every dead letter of every queue'
complete -c tq -n '__tq_at "dlq edit"' -l patch -x -d 'merged into the first argument, null removes a key (JSON Merge Patch)'
complete -c tq -n '__tq_at "dlq edit"' -l args -x -d 'a JSON array in place of all arguments'
complete -c tq -n '__tq_at "dlq edit"' -l priority -x -d 'from 0 to 9, 9 first'
complete -c tq -n '__tq_at "dlq edit" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "why"' -s Q -l queue -x -a '(__tq_names queues)' -d 'the queue that holds the job (default: every queue is searched)'
complete -c tq -n '__tq_at "why"' -l results -x -d 'store that results are kept in beside the broker: postgres:// or sqlite:'
complete -c tq -n '__tq_at "why" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "doctor"' -l fix -d 'remove unique keys without a job, records in no list, surplus events'
complete -c tq -n '__tq_at "trace"' -s Q -l queue -x -a '(__tq_names queues)' -d 'the queue that holds the job (default: every queue is searched)'
complete -c tq -n '__tq_at "trace"' -l all -d 'show every part of long lists'
complete -c tq -n '__tq_at "trace"' -l mermaid -d 'print a flowchart in the language of Mermaid'
complete -c tq -n '__tq_at "trace" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "results list"' -l where -x -d 'only those that a query takes: \'state:failure age<1d\' (docs/queries.md)'
complete -c tq -n '__tq_at "results list"' -l limit -x -d 'results to list, 100 without it'
complete -c tq -n '__tq_at "results list"' -l sort -x -d 'finished, created or duration, least first; with a minus the other way (default: -finished)'
complete -c tq -n '__tq_at "results list"' -l results -x -d 'store that results are kept in beside the broker: postgres:// or sqlite:'
complete -c tq -n '__tq_at "purge"' -s Q -l queues -x -a '(__tq_more_names queues)' -d 'queues, with commas between them'
complete -c tq -n '__tq_at "purge"' -l all -d 'every queue of the broker'
complete -c tq -n '__tq_at "purge"' -l no-undo -d 'keep nothing: what is done cannot be undone'
complete -c tq -n '__tq_at "control revoke"' -s Q -l queue -x -a '(__tq_names queues)' -d 'the queue that holds the job (default: every queue is searched)'
complete -c tq -n '__tq_at "control revoke"' -l terminate -d 'end the processes of running jobs instead of aborting their signals'
complete -c tq -n '__tq_at "control revoke"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control revoke" 0' -a '(__tq_names ids)'
complete -c tq -n '__tq_at "control pool-grow"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control pool-shrink"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control autoscale"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control add-consumer"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control add-consumer" 0' -a '(__tq_names queues)'
complete -c tq -n '__tq_at "control cancel-consumer"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control cancel-consumer" 0' -a '(__tq_names queues)'
complete -c tq -n '__tq_at "control time-limit"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control time-limit" 0' -a '(__tq_names tasks)'
complete -c tq -n '__tq_at "queue pause" 0' -a '(__tq_names queues)'
complete -c tq -n '__tq_at "queue resume" 0' -a '(__tq_names queues)'
complete -c tq -n '__tq_at "task pause" 0' -a '(__tq_names tasks)'
complete -c tq -n '__tq_at "task resume" 0' -a '(__tq_names tasks)'
complete -c tq -n '__tq_at "control rate-limit"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control rate-limit" 0' -a '(__tq_names tasks)'
complete -c tq -n '__tq_at "control shutdown"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "control call"' -l args -x -d 'what its handler gets, any JSON value; - reads it from stdin'
complete -c tq -n '__tq_at "control call"' -s d -l destination -x -a '(__tq_more_names workers)' -d 'workers to ask, with commas between them (default: all live ones)'
complete -c tq -n '__tq_at "undo"' -l force -d 'also on a broker of another name, once more, and jobs that are gone and may have run'
complete -c tq -n '__tq_at "undo"' -l no-undo -d 'keep nothing: what is done cannot be undone'
complete -c tq -n '__tq_at "audit"' -l where -x -d 'only those that a query takes: \'operation:purge-* age<1d\' (docs/operations.md)'
complete -c tq -n '__tq_at "audit"' -l limit -x -d 'runs to list, 50 without it'
complete -c tq -n '__tq_at "profile use"' -l none -d 'use no profile any more'
complete -c tq -n '__tq_at "profile add"' -l results -x -d 'store that results are kept in beside the broker: postgres:// or sqlite:'
complete -c tq -n '__tq_at "profile add"' -l protected -d 'read-only without --write'
complete -c tq -n '__tq_at "migrate"' -l results -x -d 'store that results are kept in beside the broker: postgres:// or sqlite:'
complete -c tq -n '__tq_at "completion" 0' -a 'bash zsh fish'
