import { useState, type ReactNode } from "react";

import type { Shown } from "../market.ts";

const WORDS: Record<string, string> = {
  connecting: "Waiting for the first prices …", loading: "Loading …", reconnecting: "The line is lost; trying again. These are the last prices known.",
  stale: "Nothing new has come for a while: these prices are old.", expired: "These contracts have expired.",
};

/** A part of a page: its title, what is copied from it, and what it shows while it is loading, empty or refused. */
export function Panel({ title, curl, body, hook, children, className = "" }: {
  title: string; curl?: string; body?: string; hook?: string; children: ReactNode; className?: string;
}) {
  return (
    <section className={`panel ${className}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {curl && <Copy label="curl" text={curlOf(curl, body)} />}
        {hook && <Copy label="hook" text={hook} />}
      </header>
      {children}
    </section>
  );
}

/** A command for a shell; a body makes it a POST. */
function curlOf(path: string, body?: string): string {
  const asked = `curl -s "${location.origin}${path}"`;
  return body === undefined ? asked : `${asked} -H "Content-Type: application/json" -d '${body.replaceAll("'", "'\\''")}'`;
}

function Copy({ label, text }: { label: string; text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    });
  };
  return (
    <button type="button" className="copy" onClick={copy} title={text} aria-label={`Copy as ${label}`}>
      {isCopied ? "copied" : label}
    </button>
  );
}

/** What there is, or why there is nothing; old prices look old. */
export function Stated<T>({ shown, children }: { shown: Shown<T>; children: (data: T) => ReactNode }) {
  const { data, status, error } = shown;
  const word = error?.message ?? WORDS[status];
  return (
    <>
      {word && <p className={`word ${error ? "bad" : ""}`} role="status">{word}</p>}
      {data && <div className={`stated ${status}`}>{children(data)}</div>}
    </>
  );
}

export function Figure({ name, value, tone = "", note = "" }: { name: string; value: ReactNode; tone?: string; note?: string }) {
  return (
    <div className="figure" title={note}>
      <dt>{name}</dt>
      <dd className={tone}>{value}</dd>
    </div>
  );
}
