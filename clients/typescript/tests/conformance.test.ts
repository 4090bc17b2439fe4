// One table of cases for every client: the Python one goes by it in tests/fanout/test_conformance.py.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { chainAfter, follows, quoteAfter, stateOf } from "../src/delta.js";

interface Case {
  name: string;
  kind: "chain" | "quote";
  events: [string, Record<string, any>][];
  states: unknown[];
}

const cases: Case[] = JSON.parse(readFileSync(new URL("../../conformance.json", import.meta.url), "utf8"));

test.each(cases.map((item) => [item.name, item] as const))("%s", (_name, item) => {
  const after = item.kind === "chain" ? chainAfter : quoteAfter;
  let state: any = null;
  const states = item.events.map(([, payload]) => {
    if (!("prev_seq" in payload)) return (state = stateOf(payload));
    if (state === null || !follows(state, payload as any)) return "gap";
    return (state = after(state, payload as any));
  });
  expect(states).toEqual(item.states);
});
