import { type CommandTree, type CompletedOption, type CompletedValue, listNextWords } from './command-tree.ts';

/** The completion script for fish 3 and newer. */
export function formatFish(tree: CommandTree): string {
  const paths = [...tree.groups, ...tree.commands].map(({ name }) => name);
  const options = [...tree.globals, ...tree.commands.flatMap((command) => command.options)];
  const valued = options
    .filter(({ value }) => value !== undefined)
    .flatMap(({ short, long }) => (short === undefined ? [long] : [short, long]));
  return `# Completion of tq for fish: save as ~/.config/fish/completions/tq.fish
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
            case ${[...new Set(valued)].join(' ')}
                set skip yes
            case '-*'
            case '*'
                if contains -- (string join ' ' -- $command $word) ${paths.map(quote).join(' ')}
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
    printf '%s\\n' "$before"(__tq_names $argv[1])
end

complete -c tq -f
${tree.globals.map((option) => formatOption(option, '')).join('')}
${['', ...tree.groups.map(({ name }) => name)].map((path) => formatWords(tree, path)).join('')}
${tree.commands
  .map(({ name, options: own, arguments: values }) =>
    [
      ...own.map((option) => formatOption(option, ` -n '__tq_at "${name}"'`)),
      ...values.map((value, index) => formatArgument(value, ` -n '__tq_at "${name}" ${index}'`)),
    ].join(''),
  )
  .join('')}`;
}

function formatWords(tree: CommandTree, path: string): string {
  return listNextWords(tree, path)
    .map(({ word, summary }) => `complete -c tq -n '__tq_at "${path}" 0' -a ${word} -d ${quote(summary)}\n`)
    .join('');
}

function formatOption({ short, long, summary, value }: CompletedOption, condition: string): string {
  const flags = `${short === undefined ? '' : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`;
  return `complete -c tq${condition}${flags}${value === undefined ? '' : formatValue(value)} -d ${quote(summary)}\n`;
}

function formatArgument(value: CompletedValue, condition: string): string {
  return formatSource(value) === '' ? '' : `complete -c tq${condition}${formatSource(value)}\n`;
}

/** Without -f, fish offers files beside what is offered here. */
function formatValue(value: CompletedValue): string {
  return value.source === 'files' ? ' -r -F' : ` -x${formatSource(value)}`;
}

function formatSource({ source, choices, joined }: CompletedValue): string {
  if (choices.length > 0) return ` -a ${quote(choices.join(' '))}`;
  if (source === 'files') return ' -F';
  return source === undefined ? '' : ` -a '(${joined ? '__tq_more_names' : '__tq_names'} ${source})'`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
