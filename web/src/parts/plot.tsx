import { useState } from "react";

import { number } from "../format.ts";

export interface Series {
  name: string;
  className: string;
  values: (number | null)[];
  kind?: "line" | "bar";
}

export interface PlotProps {
  label: string;
  /** Ascending; one for each value. */
  x: number[];
  series: Series[];
  marks?: { x: number; name: string }[];
  nameX?: (x: number) => string;
  nameY?: (y: number) => string;
  height?: number;
}

const [WIDTH, LEFT, RIGHT, TOP, BOTTOM] = [640, 84, 14, 32, 26];

/** Lines and bars over numbers, as SVG: small, and readable by a screen reader as its label. */
export function Plot({ label, x, series, marks = [], nameX = (value) => number(value, 0), nameY = (value) => number(value, 2), height = 240 }: PlotProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const known = series.flatMap((one) => one.values.filter((value): value is number => value !== null && Number.isFinite(value)));
  if (x.length < 2 || !known.length) return <p className="word">Nothing to draw yet.</p>;
  const hasBars = series.some((one) => one.kind === "bar");
  let [low, high] = [Math.min(...known), Math.max(...known)];
  if (hasBars) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const pad = hasBars ? 0 : (high - low) * 0.06;
  const [first, last] = [x[0] as number, x.at(-1) as number];
  const inner = WIDTH - LEFT - RIGHT;
  const step = inner / x.length;
  const ofX = (value: number) => LEFT + (hasBars ? step / 2 : 0) + ((value - first) / (last - first || 1)) * (hasBars ? inner - step : inner);
  const ofY = (value: number) => TOP + ((high + pad - value) / (high - low + 2 * pad)) * (height - TOP - BOTTOM);
  const bars = series.filter((one) => one.kind === "bar");
  const barWidth = Math.max(0.8, (step * 0.8) / Math.max(1, bars.length));
  const ticks = niceTicks(low, high);
  const at = pointed === null ? null : Math.min(x.length - 1, Math.max(0, pointed));
  const point = (event: React.PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * WIDTH;
    let nearest = 0;
    x.forEach((value, index) => {
      if (Math.abs(ofX(value) - place) < Math.abs(ofX(x[nearest] as number) - place)) nearest = index;
    });
    setPointed(nearest);
  };
  return (
    <figure className="plot">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={label} onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        {ticks.map((tick) => (
          <g key={tick} className="tick">
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={ofY(tick)} y2={ofY(tick)} />
            <text x={LEFT - 6} y={ofY(tick) + 4} textAnchor="end">{nameY(tick)}</text>
          </g>
        ))}
        {[first, (first + last) / 2, last].map((tick, index) => (
          <text key={index} className="tick" x={ofX(tick)} y={height - 6} textAnchor={index === 0 ? "start" : index === 2 ? "end" : "middle"}>{nameX(tick)}</text>
        ))}
        {bars.map((one, order) =>
          one.values.map((value, index) =>
            value === null ? null : (
              <rect
                key={`${one.name}${index}`}
                className={one.className}
                x={ofX(x[index] as number) - (barWidth * bars.length) / 2 + order * barWidth}
                width={barWidth}
                y={Math.min(ofY(value), ofY(0))}
                height={Math.abs(ofY(value) - ofY(0))}
              />
            ),
          ),
        )}
        {low < 0 && high > 0 && <line className="zero" x1={LEFT} x2={WIDTH - RIGHT} y1={ofY(0)} y2={ofY(0)} />}
        {series.filter((one) => one.kind !== "bar").map((one) => (
          <path key={one.name} className={`line ${one.className}`} d={path(one.values, (index) => ofX(x[index] as number), ofY)} />
        ))}
        {marks.filter((mark) => mark.x >= first && mark.x <= last).map((mark, order) => (
          <g key={mark.name} className="mark">
            <line x1={ofX(mark.x)} x2={ofX(mark.x)} y1={TOP} y2={height - BOTTOM} />
            <text x={ofX(mark.x)} y={TOP - 4 - 14 * (order % 2)} textAnchor={ofX(mark.x) > WIDTH * 0.75 ? "end" : "middle"}>{mark.name}</text>
          </g>
        ))}
        {at !== null && <line className="pointer" x1={ofX(x[at] as number)} x2={ofX(x[at] as number)} y1={TOP} y2={height - BOTTOM} />}
      </svg>
      <figcaption>
        {series.map((one) => (
          <span key={one.name} className={`key ${one.className}`}>
            {one.name}{at !== null && `: ${one.values[at] === null || one.values[at] === undefined ? "–" : nameY(one.values[at] as number)}`}
          </span>
        ))}
        {at !== null && <span className="quiet">at {nameX(x[at] as number)}</span>}
      </figcaption>
    </figure>
  );
}

/** Round numbers within a range, zero among them where it is in it. */
function niceTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 2.5, 5, 10].find((factor) => factor * size >= rough) ?? 10);
  const count = Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1;
  return Array.from({ length: count }, (_, index) => (Math.ceil(low / step - 1e-9) + index) * step);
}

function path(values: (number | null)[], ofX: (index: number) => number, ofY: (value: number) => number): string {
  let text = "";
  let isOn = false;
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      isOn = false;
      return;
    }
    text += `${isOn ? "L" : "M"}${ofX(index).toFixed(1)} ${ofY(value).toFixed(1)}`;
    isOn = true;
  });
  return text;
}
