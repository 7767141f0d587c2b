import { type CommandTree, type CompletedOption, type CompletedValue, listNextWords } from './command-tree.ts';

/**
 * The completion script for bash 3.2 and newer, as macOS still has it.
 *
 * Names of tasks, queues, workers and jobs never go through `compgen -W`: it expands its words, so a queue called `$(reboot)`
 * would be run.
 */
export function formatBash(tree: CommandTree): string {
  const paths = [...tree.groups, ...tree.commands].map(({ name }) => `"${name}"`).join(' | ');
  return `# Completion of tq for bash: source <(tq completion bash)
# Generated from the definitions of the commands; do not edit.

# Sets REPLY to the kind of value that the option $2 of the command $1 takes; empty for a switch.
_tq_value() {
  REPLY=""
  case "$1" in
${tree.commands.map(({ name, options }) => formatValues(name, options)).join('')}  esac
  [[ -n $REPLY ]] && return
  case "$2" in
${formatCases(tree.globals, '    ')}  esac
}

# Sets REPLY to the kind of the argument number $2 of the command $1.
_tq_argument() {
  REPLY=""
  case "$1:$2" in
${tree.commands.flatMap(({ name, arguments: values }) => values.map((value, index) => `    "${name}:${index}") REPLY="${kindOf(value)}" ;;\n`)).join('')}  esac
}

# Sets REPLY to the words that can follow the command $1: further words, and options.
_tq_words() {
  case "$1" in
${['', ...tree.groups.map(({ name }) => name), ...tree.commands.map(({ name }) => name)].map((path) => formatWords(tree, path)).join('')}    *) REPLY="" ;;
  esac
}

# Offers what $1 says: words, or @ and what to look up; a comma after it allows several.
_tq_offer() {
  local kind="$1" typed="$2" before="" name
  if [[ $kind == *, ]]; then
    kind="\${kind%,}"
    if [[ $typed == *,* ]]; then
      before="\${typed%,*},"
      typed="\${typed##*,}"
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
      done < <("\${COMP_WORDS[0]}" \${globals[@]+"\${globals[@]}"} __complete "\${kind#@}" 2>/dev/null </dev/null)
      ;;
    *) while IFS= read -r name; do COMPREPLY+=("$before$name"); done < <(compgen -W "$kind" -- "$typed") ;;
  esac
}

_tq() {
  local typed="\${COMP_WORDS[COMP_CWORD]}" command="" count=0 awaited="" flag="" word i REPLY
  local -a globals=()
  COMPREPLY=()
  [[ $typed == "=" ]] && typed=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    # bash splits \`--app=file\` into three words.
    [[ $word == "=" ]] && continue
    if [[ -n $awaited ]]; then
      case "$flag" in -A | --app | -b | --broker) globals+=("$flag" "$word") ;; esac
      awaited=""
    elif [[ $word == -* ]]; then
      flag="$word"
      _tq_value "$command" "$flag"
      awaited="$REPLY"
    else
      case "\${command:+$command }$word" in
        ${paths}) command="\${command:+$command }$word" ;;
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
COMP_WORDBREAKS="\${COMP_WORDBREAKS//@/}"
complete -F _tq tq
`;
}

function formatValues(name: string, options: readonly CompletedOption[]): string {
  const cases = formatCases(options, '        ');
  return cases === '' ? '' : `    "${name}")\n      case "$2" in\n${cases}      esac\n      ;;\n`;
}

function formatCases(options: readonly CompletedOption[], indent: string): string {
  return options
    .filter(({ value }) => value !== undefined)
    .map(({ short, long, value }) => {
      const flags = short === undefined ? long : `${short} | ${long}`;
      return `${indent}${flags}) REPLY="${kindOf(value as CompletedValue)}" ;;\n`;
    })
    .join('');
}

function kindOf({ source, choices, joined }: CompletedValue): string {
  if (choices.length > 0) return choices.join(' ');
  return `@${source ?? 'any'}${joined ? ',' : ''}`;
}

function formatWords(tree: CommandTree, path: string): string {
  const own = tree.commands.find(({ name }) => name === path)?.options ?? [];
  const flags = [...own, ...tree.globals].flatMap(({ short, long }) => (short === undefined ? [long] : [short, long]));
  const words = [...listNextWords(tree, path).map(({ word }) => word), ...flags];
  return `    "${path}") REPLY="${words.join(' ')}" ;;\n`;
}
