import { escapeControl } from '../../engine/core/escape.ts';
import type { JobState } from '../../engine/core/state.ts';
import type { WorkflowStep } from '../../engine/core/workflow/workflow-view.ts';
import { type Fold, foldParts } from './trace-rows.ts';
import { nameOf } from './trace-tree.ts';

/** Where the arrows to a part end and those from it begin. */
interface Ends {
  readonly first: readonly string[];
  readonly last: readonly string[];
}

const FILLS: Partial<Record<JobState, string>> = {
  SUCCESS: 'fill:#d3f9d8,stroke:#2b8a3e,color:#000',
  FAILURE: 'fill:#ffe3e3,stroke:#c92a2a,color:#000',
  REVOKED: 'fill:#ffe3e3,stroke:#c92a2a,color:#000,stroke-dasharray:4',
  STARTED: 'fill:#d0ebff,stroke:#1864ab,color:#000',
  RETRY: 'fill:#fff3bf,stroke:#e67700,color:#000',
};

/**
 * A flowchart in Mermaid's language. Nodes have ids of their own; names stand in quotes with what Mermaid would read written as
 * entities, so that no name can add to the chart.
 */
export function formatMermaid(tree: WorkflowStep, all: boolean): string {
  const chart = new Chart(all);
  chart.draw(tree, 1);
  return chart.text();
}

class Chart {
  readonly #all: boolean;
  readonly #lines: string[] = [];
  readonly #arrows: string[] = [];
  readonly #used = new Map<JobState, string[]>();
  #nodes = 0;

  constructor(all: boolean) {
    this.#all = all;
  }

  text(): string {
    const styles = [...this.#used].flatMap(([state, nodes]) => [
      `  classDef ${state.toLowerCase()} ${FILLS[state]}`,
      `  class ${nodes.join(',')} ${state.toLowerCase()}`,
    ]);
    return `${['flowchart TD', ...this.#lines, ...this.#arrows, ...styles].join('\n')}\n`;
  }

  draw(content: WorkflowStep | Fold, depth: number): Ends {
    if (content.kind === 'fold') return this.#drawNode(content, depth);
    if (content.kind === 'task') return this.#drawTask(content, depth);
    return content.kind === 'chain' ? this.#drawChain(content, depth) : this.#drawGroup(content, depth);
  }

  #drawTask(step: WorkflowStep, depth: number): Ends {
    const own = this.#drawNode(step, depth);
    let last = own.last;
    for (const child of step.children) {
      const ends = this.draw(child, depth);
      this.#link(own.last, ends.first, ARROWS[child.role]);
      if (child.role === 'replacement') last = ends.last;
    }
    return { first: own.first, last };
  }

  #drawChain(chain: WorkflowStep, depth: number): Ends {
    const [first, last] = [[] as (readonly string[])[], [] as (readonly string[])[]];
    for (const part of foldParts(chain, this.#all)) {
      const ends = this.draw(part, depth);
      if (part.kind !== 'fold' && part.role === 'linkError') {
        this.#link(last.at(-1) ?? [], ends.first, ARROWS.linkError);
        continue;
      }
      this.#link(last.at(-1) ?? [], ends.first, '-->');
      first.push(ends.first);
      last.push(ends.last);
    }
    return { first: first[0] ?? [], last: last.at(-1) ?? [] };
  }

  #drawGroup(group: WorkflowStep, depth: number): Ends {
    const parts = foldParts(group, this.#all);
    const body = parts.find((part) => part.kind !== 'fold' && part.role === 'body');
    const callbacks = parts.filter((part) => part.kind !== 'fold' && part.role === 'linkError');
    const members = parts.filter((part) => part !== body && !callbacks.includes(part));
    const indent = '  '.repeat(depth);
    this.#nodes += 1;
    const id = `g${this.#nodes}`;
    this.#lines.push(`${indent}subgraph ${id}["${quote(nameOf(group))}"]`);
    const ends = members.map((member) => this.draw(member, depth + 1));
    // A group without members is entered and left all the same.
    if (ends.length === 0) this.#lines.push(`${indent}  ${id}e["no members"]`);
    this.#lines.push(`${indent}end`);
    const first = ends.length === 0 ? [`${id}e`] : ends.flatMap((each) => each.first);
    let last = ends.length === 0 ? [`${id}e`] : ends.flatMap((each) => each.last);
    for (const callback of callbacks) this.#link([id], this.draw(callback, depth).first, ARROWS.linkError);
    if (body !== undefined) {
      const joined = this.draw(body, depth);
      this.#link(last, joined.first, '-->');
      last = [...joined.last];
    }
    return { first, last };
  }

  #drawNode(content: WorkflowStep | Fold, depth: number): Ends {
    this.#nodes += 1;
    const id = `n${this.#nodes}`;
    const state = content.kind === 'fold' ? undefined : content.state;
    const label = quote(nameOf(content)) + (state === undefined ? '' : `<br/>${state}`);
    this.#lines.push(`${'  '.repeat(depth)}${id}["${label}"]`);
    if (state !== undefined && FILLS[state] !== undefined)
      this.#used.set(state, [...(this.#used.get(state) ?? []), id]);
    return { first: [id], last: [id] };
  }

  #link(from: readonly string[], to: readonly string[], arrow: string): void {
    for (const source of from) for (const target of to) this.#arrows.push(`  ${source} ${arrow} ${target}`);
  }
}

const ARROWS: Readonly<Record<WorkflowStep['role'], string>> = {
  step: '-->',
  body: '-->',
  added: '-->',
  replacement: '==>',
  link: '-.->',
  linkError: '-. on error .->',
};

/** Everything that is neither a letter, a digit nor harmless becomes an entity, `#34;` for a quote. */
function quote(text: string): string {
  return escapeControl(text).replace(/[^\p{L}\p{N} ._:,…-]/gu, (char) => `#${char.codePointAt(0)};`);
}
