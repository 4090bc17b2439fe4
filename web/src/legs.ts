import type { OptionType } from "indian-options-client";

import { go } from "./route.ts";

export interface Leg {
  strike: number;
  type: OptionType;
  side: "buy" | "sell";
  lots: number;
}

/** `B2CE22700,S1PE22500`: legs as an address has them. */
export function parseLegs(text: string): Leg[] {
  return text.split(",").flatMap((part) => {
    const match = /^([BS])(\d+)(CE|PE)([\d.]+)$/.exec(part);
    if (!match) return [];
    return [{ side: match[1] === "B" ? "buy" : "sell", lots: Number(match[2]), type: match[3] as OptionType, strike: Number(match[4]) } as Leg];
  });
}

export function printLegs(legs: Leg[]): string {
  return legs.map((leg) => `${leg.side === "buy" ? "B" : "S"}${leg.lots}${leg.type}${leg.strike}`).join(",");
}

/** The legs with one more lot: of a leg that is there already, or as a new one. */
export function withLeg(legs: Leg[], added: Omit<Leg, "lots">): Leg[] {
  const place = legs.findIndex((leg) => leg.strike === added.strike && leg.type === added.type && leg.side === added.side);
  if (place < 0) return [...legs, { ...added, lots: 1 }];
  return legs.map((leg, index) => (index === place ? { ...leg, lots: leg.lots + 1 } : leg));
}

export function setLegs(legs: Leg[]): void {
  go({ legs: printLegs(legs) }, true);
}
