import { beforeEach, describe, expect, it } from "vitest";
import { type Clock, type Drawable, INTERVAL, Scheduler } from "./scheduler";

/** Time that only a test moves: frames every 16 ms, and drawings that take time. */
class TestClock implements Clock {
  time = 0;
  private next: (() => void)[] = [];
  now(): number {
    return this.time;
  }
  frame(callback: () => void): void {
    this.next.push(callback);
  }
  /** Runs the next frame; false when nobody asked for one. */
  step(): boolean {
    this.time += 16;
    const due = this.next;
    this.next = [];
    for (const callback of due) callback();
    return due.length > 0;
  }
  run(milliseconds: number): void {
    for (const end = this.time + milliseconds; this.time < end; ) this.step();
  }
}

class TestChart implements Drawable {
  draws: number[] = [];
  shown = true;
  changed = true;
  constructor(
    private readonly clock: TestClock,
    private readonly cost: number,
    readonly interval = INTERVAL,
  ) {}
  visible(): boolean {
    return this.shown;
  }
  draw(): boolean {
    if (!this.changed) return false;
    this.draws.push(this.clock.time);
    this.clock.time += this.cost;
    return true;
  }
}

let clock: TestClock;
let scheduler: Scheduler;

function charts(count: number, cost: number): TestChart[] {
  const made = Array.from({ length: count }, () => new TestChart(clock, cost));
  for (const chart of made) scheduler.add(chart);
  return made;
}

beforeEach(() => {
  clock = new TestClock();
  scheduler = new Scheduler(clock);
});

describe("Scheduler", () => {
  it("draws nothing that did not ask, and then asks for no frames", () => {
    const [chart] = charts(1, 5) as [TestChart];
    expect(clock.step()).toBe(false);
    scheduler.request(chart);
    clock.run(100);
    expect(chart.draws.length).toBe(1);
    expect(clock.step()).toBe(false);
  });

  it("draws one chart a frame", () => {
    const all = charts(3, 5);
    for (const chart of all) scheduler.request(chart);
    clock.step();
    expect(all.map((chart) => chart.draws.length)).toEqual([1, 0, 0]);
    clock.run(80);
    expect(all.map((chart) => chart.draws.length)).toEqual([1, 1, 1]);
  });

  it("draws a chart at most ten times a second, however often it asks", () => {
    const [chart] = charts(1, 2) as [TestChart];
    for (let frame = 0; frame < 120; frame += 1) {
      scheduler.request(chart);
      clock.step();
    }
    const apart = chart.draws.slice(1).map((time, index) => time - (chart.draws[index] as number));
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(INTERVAL);
    expect(chart.draws.length).toBeGreaterThan(12);
  });

  it("serves the longest waiting first, so that none starves", () => {
    const all = charts(8, 12);
    for (let frame = 0; frame < 240; frame += 1) {
      for (const chart of all) scheduler.request(chart);
      clock.step();
    }
    const counts = all.map((chart) => chart.draws.length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it("rests the longer, the more a drawing costs", () => {
    const share = (cost: number): number => {
      clock = new TestClock();
      scheduler = new Scheduler(clock);
      const all = charts(8, cost);
      const started = clock.time;
      for (let frame = 0; frame < 400; frame += 1) {
        for (const chart of all) scheduler.request(chart);
        clock.step();
      }
      const busy = cost * all.reduce((sum, chart) => sum + chart.draws.length, 0);
      return busy / (clock.time - started);
    };
    expect(share(10)).toBeLessThan(0.55);
    expect(share(40)).toBeLessThan(share(10));
    expect(share(40)).toBeLessThan(0.25);
  });

  it("shows all first pictures at once", () => {
    const all = charts(4, 40);
    for (const chart of all) scheduler.request(chart);
    clock.run(4 * 60);
    expect(all.every((chart) => chart.draws.length === 1)).toBe(true);
  });

  it("leaves what nobody sees until it is seen", () => {
    const [chart] = charts(1, 5) as [TestChart];
    chart.shown = false;
    scheduler.request(chart);
    clock.run(200);
    expect(chart.draws.length).toBe(0);
    chart.shown = true;
    scheduler.wake();
    clock.run(50);
    expect(chart.draws.length).toBe(1);
  });

  it("goes on to the next where one has nothing new", () => {
    const [idle, busy] = charts(2, 5) as [TestChart, TestChart];
    idle.changed = false;
    scheduler.request(idle);
    scheduler.request(busy);
    clock.step();
    expect(busy.draws.length).toBe(1);
  });

  it("draws some less often than others", () => {
    const seldom = new TestChart(clock, 2, 400);
    scheduler.add(seldom);
    for (let frame = 0; frame < 125; frame += 1) {
      scheduler.request(seldom);
      clock.step();
    }
    expect(seldom.draws.length).toBeLessThanOrEqual(6);
  });

  it("draws all in one frame where they are to show one time, and says when they have", () => {
    scheduler.together = () => true;
    const all = charts(5, 20);
    for (const chart of all) scheduler.request(chart);
    expect(scheduler.busy).toBe(true);
    clock.step();
    expect(all.map((chart) => chart.draws.length)).toEqual([1, 1, 1, 1, 1]);
    expect(scheduler.busy).toBe(true); // the page has its while
    clock.run(150);
    expect(scheduler.busy).toBe(false);
    const [hidden] = all as [TestChart];
    hidden.shown = false;
    scheduler.request(hidden);
    expect(scheduler.busy).toBe(false);
  });

  it("forgets a chart that is gone", () => {
    const [chart] = charts(1, 5) as [TestChart];
    scheduler.request(chart);
    scheduler.remove(chart);
    clock.run(50);
    expect(chart.draws.length).toBe(0);
  });
});
