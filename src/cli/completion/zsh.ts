import {
  type CommandTree,
  type CompletedCommand,
  type CompletedOption,
  type CompletedValue,
  listNextWords,
} from './command-tree.ts';

/** The completion script for zsh: `_arguments` does the work, and the names come from `tq __complete`. */
export function formatZsh(tree: CommandTree): string {
  const groups = tree.groups.map(({ name }) => name);
  return `#compdef tq
# Completion of tq for zsh: save as _tq in a folder of $fpath.
# Generated from the definitions of the commands; do not edit.

_tq_globals=(
${tree.globals.map((option) => `  ${formatOption(option)}\n`).join('')})

# Names of tasks, queues, workers or jobs, from the broker and the app of the command line.
_tq_names() {
  local -a names given
  local i
  for ((i = 1; i < $#_tq_line; i++)); do
    case $_tq_line[i] in (-A|--app|-b|--broker) given+=("$_tq_line[i]" "\${(Q)_tq_line[i+1]}") ;; esac
  done
  names=("\${(@f)$(command tq $given __complete $1 2>/dev/null </dev/null)}")
  compadd -- \${names:#}
}
_tq_tasks() { _tq_names tasks }
_tq_queues() { _tq_names queues }
_tq_queue_list() { compset -P '*,'; _tq_names queues }
_tq_workers() { _tq_names workers }
_tq_worker_list() { compset -P '*,'; _tq_names workers }
_tq_ids() { _tq_names ids }

_tq() {
  local curcontext="$curcontext" state line
  local -a _tq_line=("\${words[@]}")
  _arguments -C $_tq_globals '1: :->command' '*:: :->arguments'
  case $state in
    command)
      local -a commands=(
${formatWords(tree, '', '        ')}      )
      _describe command commands
      ;;
    arguments)
      case $line[1] in
${groups.map((group) => `        ${group}) _tq_${group} ;;\n`).join('')}${tree.commands
  .filter(({ name }) => !name.includes(' '))
  .map((command) => formatCommand(command, '        '))
  .join('')}      esac
      ;;
  esac
}
${groups.map((group) => formatGroup(tree, group)).join('')}
_tq "$@"
`;
}

function formatGroup(tree: CommandTree, group: string): string {
  const members = tree.commands.filter(({ name }) => name.startsWith(`${group} `));
  return `
_tq_${group}() {
  local curcontext="$curcontext" state line
  _arguments -C $_tq_globals '1: :->command' '*:: :->arguments'
  case $state in
    command)
      local -a commands=(
${formatWords(tree, group, '        ')}      )
      _describe command commands
      ;;
    arguments)
      case $line[1] in
${members.map((command) => formatCommand(command, '        ')).join('')}      esac
      ;;
  esac
}
`;
}

function formatCommand({ name, options, arguments: values }: CompletedCommand, indent: string): string {
  const specs = [
    ...options.map(formatOption),
    ...values.map((value, index) => quote(`${index + 1}: :${formatAction(value)}`)),
  ];
  const lines = specs.map((spec) => ` \\\n${indent}    ${spec}`).join('');
  return `${indent}${name.split(' ').at(-1)})\n${indent}  _arguments $_tq_globals${lines}\n${indent}  ;;\n`;
}

function formatOption({ short, long, summary, value }: CompletedOption): string {
  const text = `[${summary.replace(/[[\]\\:]/g, '\\$&')}]`;
  const action = value === undefined ? '' : `: :${formatAction(value)}`;
  if (short === undefined) return quote(`${long}${text}${action}`);
  return `${quote(`(${short} ${long})`)}{${short},${long}}${quote(`${text}${action}`)}`;
}

function formatAction({ source, choices, joined }: CompletedValue): string {
  if (choices.length > 0) return `(${choices.join(' ')})`;
  if (source === 'files') return '_files';
  if (source === undefined) return ' ';
  // `_tq_queue_list` offers several queues with commas between them.
  return joined ? `_tq_${source.replace(/s$/, '')}_list` : `_tq_${source}`;
}

function formatWords(tree: CommandTree, path: string, indent: string): string {
  return listNextWords(tree, path)
    .map(({ word, summary }) => `${indent}${quote(`${word}:${summary.replace(/:/g, '\\:')}`)}\n`)
    .join('');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
