import type { Expiry, SymbolInfo } from "indian-options-client";
import { useAnswer, useFeedStatus, useLine, useQuote } from "indian-options-client/react";
import { lazy, Suspense, useEffect, useRef } from "react";

import { day, dayAndTime, number, percent, signed, time, tone } from "./format.ts";
import { ChainPage } from "./pages/chain.tsx";
import { DashboardPage } from "./pages/dashboard.tsx";
import { ReplayPage } from "./pages/replay.tsx";
import { StatusPage } from "./pages/status.tsx";
import { StrategyPage } from "./pages/strategy.tsx";
import { VolatilityPage } from "./pages/volatility.tsx";
import { go, linkTo, PAGES, useRoute, type PageName } from "./route.ts";

const ChartPage = lazy(() => import("./pages/chart.tsx"));
const COLUMNS = ["quotes", "greeks", "positioning", "depth"];
const EXPIRIES_MS = 60_000;

export function App() {
  const route = useRoute();
  const symbols = useAnswer("symbols", (rest) => rest.symbols()).data?.symbols ?? [];
  const expiries = useAnswer(route.symbol, (rest) => rest.expiries(route.symbol), EXPIRIES_MS).data?.expiries ?? [];
  useKeys(expiries);
  useEffect(() => {
    document.title = `${route.symbol} ${route.page} · Indian options`;
  }, [route.symbol, route.page]);
  return (
    <>
      <header className="top">
        <SymbolField symbols={symbols} />
        <ExpiryField expiries={expiries} />
        <QuoteLine symbol={route.symbol} />
        <nav aria-label="Pages">
          {PAGES.map((page) => (
            <a
              key={page} href={linkTo({ page })} aria-current={page === route.page ? "page" : undefined}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey) return;
                event.preventDefault();
                go({ page });
              }}
            >{page}</a>
          ))}
        </nav>
      </header>
      <Banner />
      <main>
        <Suspense fallback={<p className="word" role="status">Loading …</p>}><Page page={route.page} expiries={expiries} /></Suspense>
      </main>
    </>
  );
}

function Page({ page, expiries }: { page: PageName; expiries: Expiry[] }) {
  if (page === "dashboard") return <DashboardPage />;
  if (page === "chart") return <ChartPage />;
  if (page === "volatility") return <VolatilityPage expiries={expiries} />;
  if (page === "strategy") return <StrategyPage />;
  if (page === "replay") return <ReplayPage />;
  return page === "status" ? <StatusPage /> : <ChainPage />;
}

function SymbolField({ symbols }: { symbols: SymbolInfo[] }) {
  const { symbol } = useRoute();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (field.current && document.activeElement !== field.current) field.current.value = symbol;
  }, [symbol]);
  const choose = (value: string) => {
    const name = value.trim().toUpperCase();
    if (name && name !== symbol) go({ symbol: name, expiry: undefined, legs: "", contract: "" });
  };
  return (
    <form className="symbol" onSubmit={(event) => { event.preventDefault(); choose(field.current?.value ?? ""); field.current?.blur(); }}>
      <input
        ref={field} id="symbol" list="symbols" defaultValue={symbol} aria-label="Symbol" autoComplete="off" spellCheck={false} size={12}
        onFocus={(event) => event.target.select()}
        onChange={(event) => symbols.some((item) => item.symbol === event.target.value) && choose(event.target.value)}
        onBlur={(event) => { event.target.value = symbol; }}
      />
      <datalist id="symbols">{symbols.map((item) => <option key={item.symbol} value={item.symbol}>{item.name}</option>)}</datalist>
    </form>
  );
}

function ExpiryField({ expiries }: { expiries: Expiry[] }) {
  const { expiry } = useRoute();
  return (
    <select value={expiry ?? ""} aria-label="Expiry" onChange={(event) => go({ expiry: event.target.value || undefined, legs: "" })}>
      <option value="">nearest expiry</option>
      {expiries.map((item) => <option key={item.date} value={item.date}>{day(item.date)} {item.kind === "weekly" ? "w" : ""}</option>)}
      {expiry && !expiries.some((item) => item.date === expiry) && <option value={expiry}>{day(expiry)}</option>}
    </select>
  );
}

function QuoteLine({ symbol }: { symbol: string }) {
  const { data, status, asOf, error } = useQuote(symbol);
  const feed = useFeedStatus();
  const { at } = useRoute();
  const state = status !== "live" ? status : (feed?.state ?? "live");
  return (
    <div className="quote">
      <span className={`price ${status}`}>{number(data?.spot_price)}</span>
      <span className={tone(data?.change)}>{signed(data?.change)} ({percent(data?.change_percent)})</span>
      <span className="state">
        <b className={`dot ${state}`} aria-hidden="true" /> <span data-testid="state">{error ? "refused" : state.replace("_", " ")}</span>
        {" · "}<span data-testid="source">{data?.source ?? feed?.source ?? "–"}</span>{" · "}
        <time dateTime={asOf ?? undefined}>{at ? dayAndTime(at) : time(asOf)}</time>
      </span>
    </div>
  );
}

function Banner() {
  const line = useLine();
  const feed = useFeedStatus();
  const { at } = useRoute();
  const messages = [
    line?.error ? line.error.message : line?.status === "reconnecting" ? "The line to the server is lost; trying again." : null,
    feed && feed.state !== "live" && feed.state !== "market_closed" ? `Feed ${feed.state.replace("_", " ")}: ${feed.problem?.message ?? feed.reason}` : null,
  ].filter((message) => message !== null);
  return (
    <>
      {messages.map((message) => <p key={message} className="banner bad" role="alert">{message}</p>)}
      {at && (
        <p className="banner">The market as of {dayAndTime(at)}. <button type="button" onClick={() => go({ at: undefined })}>Back to live</button></p>
      )}
      {line?.error?.code === "UNAUTHORIZED" && <KeyForm />}
    </>
  );
}

function KeyForm() {
  return (
    <form className="banner" onSubmit={(event) => {
      event.preventDefault();
      sessionStorage.setItem("key", new FormData(event.currentTarget).get("key") as string);
      location.reload();
    }}>
      <label>API key <input name="key" type="password" autoComplete="current-password" required /></label> <button>Use it</button>
    </form>
  );
}

function useKeys(expiries: Expiry[]) {
  const route = useRoute();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName)) return;
      const page = PAGES[Number(event.key) - 1];
      const dates = expiries.map((item) => item.date);
      const place = route.expiry ? dates.indexOf(route.expiry) : 0;
      if (page) go({ page });
      else if (event.key === "/") document.getElementById("symbol")?.focus();
      else if (event.key === "]" && dates[place + 1]) go({ expiry: dates[place + 1], legs: "" });
      else if (event.key === "[" && dates[place - 1]) go({ expiry: dates[place - 1], legs: "" });
      else if (event.key === "c") go({ columns: COLUMNS[(COLUMNS.indexOf(route.columns) + 1) % COLUMNS.length] as string }, true);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [expiries, route]);
}
