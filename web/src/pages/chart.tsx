import { useAnswer, useCandles } from "indian-options-client/react";
import type { Candle, Interval } from "indian-options-client";
import { CandlestickSeries, ColorType, createChart, HistogramSeries, type IChartApi, type ISeriesApi, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef } from "react";

import { Panel } from "../parts/panel.tsx";
import { go, useRoute } from "../route.ts";
import { Choice } from "./chain.tsx";

const INTERVALS = ["1m", "3m", "5m", "15m", "30m", "1h", "1d", "1w"];
const INDIA_S = 19_800;
const COUNT = 500;

export default function ChartPage() {
  const route = useRoute();
  const interval = route.interval as Interval;
  const live = useCandles(route.symbol, interval, COUNT);
  const contract = /^(CE|PE)([\d.]+)$/.exec(route.contract);
  const key = route.at || contract ? JSON.stringify([route.symbol, interval, route.at, route.contract, route.expiry]) : null;
  const other = useAnswer(
    key,
    (rest) => rest.candles(route.symbol, {
      interval, per_page: COUNT, ...(route.at ? { to: route.at } : {}),
      ...(contract ? { option_type: contract[1] as "CE", strike: Number(contract[2]), ...(route.expiry ? { expiry: route.expiry } : {}) } : {}),
    }),
    route.at ? undefined : 5_000,
  );
  const candles = key ? (other.data?.candles ?? []) : live.candles;
  const error = key ? other.error : live.error;
  const title = `${route.symbol}${contract ? ` ${contract[2]} ${contract[1]}` : ""}`;
  return (
    <Panel
      title={`${title} chart`}
      curl={`/api/historical-data/${encodeURIComponent(route.symbol)}?interval=${interval}&per_page=${COUNT}`}
      hook={`const { candles } = useCandles("${route.symbol}", "${interval}");`}
    >
      <div className="tools">
        <Choice label="Interval" value={route.interval} options={INTERVALS} onChange={(value) => go({ interval: value }, true)} />
        <label className="choice">
          Contract
          <input
            value={route.contract} placeholder="underlying, or CE22700" size={20} spellCheck={false}
            onChange={(event) => go({ contract: event.target.value.toUpperCase().replace(/[^CEP\d.]/g, "") }, true)}
          />
        </label>
      </div>
      {error && <p className="word bad" role="status">{error.message}</p>}
      {!error && !candles.length && <p className="word" role="status">Loading candles …</p>}
      <CandleChart candles={candles} name={`${title} ${interval}`} />
      <p className="quiet">Times are India's. Charts by <a href="https://www.tradingview.com/" rel="noopener noreferrer">TradingView</a> Lightweight Charts™.</p>
    </Panel>
  );
}

const seconds = (candle: Candle) => (Date.parse(candle.date) / 1000 + INDIA_S) as UTCTimestamp;

function CandleChart({ candles, name }: { candles: Candle[]; name: string }) {
  const box = useRef<HTMLDivElement>(null);
  const made = useRef<{ chart: IChartApi; prices: ISeriesApi<"Candlestick">; volume: ISeriesApi<"Histogram">; name: string; count: number } | null>(null);
  useEffect(() => {
    const style = getComputedStyle(document.documentElement);
    const color = (variable: string) => style.getPropertyValue(variable).trim();
    const chart = createChart(box.current as HTMLDivElement, {
      autoSize: true,
      layout: { background: { type: ColorType.Solid, color: color("--panel") }, textColor: color("--quiet"), attributionLogo: false, fontFamily: "system-ui, sans-serif" },
      grid: { vertLines: { color: color("--line") }, horzLines: { color: color("--line") } },
      timeScale: { timeVisible: true, secondsVisible: false, borderColor: color("--line") },
      rightPriceScale: { borderColor: color("--line") },
      localization: { locale: "en-IN" },
    });
    const prices = chart.addSeries(CandlestickSeries, {
      upColor: color("--up"), downColor: color("--down"), wickUpColor: color("--up"), wickDownColor: color("--down"), borderVisible: false,
    });
    const volume = chart.addSeries(HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, color: color("--faint") });
    chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    made.current = { chart, prices, volume, name: "", count: 0 };
    return () => {
      made.current = null;
      chart.remove();
    };
  }, []);
  useEffect(() => {
    const parts = made.current;
    const last = candles.at(-1);
    if (!parts || !last) return;
    const { prices, volume } = parts;
    const bar = (candle: Candle) => ({ time: seconds(candle), open: candle.open, high: candle.high, low: candle.low, close: candle.close });
    const traded = (candle: Candle) => ({ time: seconds(candle), value: candle.volume ?? 0 });
    if (parts.name === name && (candles.length === parts.count || candles.length === parts.count + 1)) {
      prices.update(bar(last));
      volume.update(traded(last));
    } else {
      prices.setData(candles.map(bar));
      volume.setData(candles.map(traded));
      if (parts.name !== name) parts.chart.timeScale().setVisibleLogicalRange({ from: candles.length - 120, to: candles.length + 3 });
    }
    parts.name = name;
    parts.count = candles.length;
  }, [candles, name]);
  return <div className="candles" ref={box} role="img" aria-label={`Candles of ${name}`} />;
}
