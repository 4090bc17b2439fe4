/** Tells listeners of changes once a frame, however many there were. */
export class Frame {
  private readonly due = new Set<() => void>();
  private isScheduled = false;

  schedule(listeners: Iterable<() => void>): void {
    for (const listener of listeners) this.due.add(listener);
    if (this.isScheduled || !this.due.size) return;
    this.isScheduled = true;
    const isShown = typeof document !== "undefined" && document.visibilityState === "visible";
    if (isShown && typeof requestAnimationFrame === "function") requestAnimationFrame(this.flush);
    else setTimeout(this.flush, 0);
  }

  private readonly flush = (): void => {
    this.isScheduled = false;
    const due = [...this.due];
    this.due.clear();
    for (const listener of due) listener();
  };
}
