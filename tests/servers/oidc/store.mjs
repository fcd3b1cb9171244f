// Everything that outlives a request: values by kind and id, in one file that is only added to.
//
//   state.jsonl    {"kind", "id", "value"} sets, the same without a value deletes
//
// A change is in the file before the request is answered. At the start the file is read and
// written anew; a last line that a kill cut short is left out.

import fs from 'node:fs';
import path from 'node:path';

export class Store {
  #file;

  #kinds = new Map();

  constructor(directory) {
    this.#file = path.join(directory, 'state.jsonl');
    for (const line of read(this.#file)) this.#keep(line);
    this.#rewrite();
  }

  get(kind, id) {
    const value = this.#kinds.get(kind)?.get(id);
    return value && structuredClone(value);
  }

  // Pairs of id and value, oldest first.
  all(kind) {
    return [...(this.#kinds.get(kind) ?? [])];
  }

  put(kind, id, value) {
    this.#change({ kind, id, value });
  }

  delete(kind, id) {
    if (this.#kinds.get(kind)?.has(id)) this.#change({ kind, id });
  }

  // Forget all but one kind.
  keepOnly(kind) {
    this.#kinds = new Map([[kind, this.#kinds.get(kind) ?? new Map()]]);
    this.#rewrite();
  }

  #change(entry) {
    const line = JSON.stringify(entry);
    fs.appendFileSync(this.#file, `${line}\n`);
    this.#keep(JSON.parse(line));
  }

  #keep({ kind, id, value }) {
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, new Map());
    if (value === undefined) this.#kinds.get(kind).delete(id);
    else this.#kinds.get(kind).set(id, value);
  }

  #rewrite() {
    const lines = [];
    for (const [kind, values] of this.#kinds) {
      for (const [id, value] of values) lines.push(`${JSON.stringify({ kind, id, value })}\n`);
    }
    fs.writeFileSync(`${this.#file}.new`, lines.join(''));
    fs.renameSync(`${this.#file}.new`, this.#file);
  }
}

function read(file) {
  if (!fs.existsSync(file)) return [];
  const whole = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line));
}
