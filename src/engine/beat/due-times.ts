/**
 * Names in the order of their instants: which is next, in constant time, and moved in logarithmic time. A binary heap that knows where
 * each name is, so that one which is moved or forgotten leaves nothing behind.
 */
export class DueTimes {
  readonly #heap: { readonly name: string; at: number }[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#heap.length;
  }

  /** The first instant, epoch ms; undefined when there is none. */
  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Enters a name, or moves it. */
  set(name: string, at: number): void {
    const place = this.#places.get(name);
    if (place === undefined) {
      this.#heap.push({ name, at });
      this.#places.set(name, this.#heap.length - 1);
      this.#rise(this.#heap.length - 1);
      return;
    }
    const item = this.#heap[place];
    if (item === undefined || item.at === at) return;
    const isEarlier = at < item.at;
    item.at = at;
    if (isEarlier) this.#rise(place);
    else this.#sink(place);
  }

  delete(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    const last = this.#heap.pop();
    this.#places.delete(name);
    if (last === undefined || place === this.#heap.length) return;
    this.#heap[place] = last;
    this.#places.set(last.name, place);
    this.#rise(place);
    this.#sink(this.#places.get(last.name) ?? place);
  }

  /** Takes out the names of all instants up to this one, the earliest first. */
  takeUntil(at: number): string[] {
    const taken: string[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.at <= at; first = this.#heap[0]) {
      taken.push(first.name);
      this.delete(first.name);
    }
    return taken;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#places.clear();
  }

  #rise(from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!this.#isBefore(place, above)) return;
      this.#swap(place, above);
      place = above;
    }
  }

  #sink(from: number): void {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      const first = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(first, place)) return;
      this.#swap(first, place);
      place = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    return one !== undefined && (other === undefined || one.at < other.at);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
    this.#places.set(other.name, a);
    this.#places.set(one.name, b);
  }
}
