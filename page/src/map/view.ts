/** The map's canvas and its interaction: wheel, drag, clicks, and animated moves between blocks. */

import { select, type Selection } from "d3-selection";
import "d3-transition";
import { zoom, zoomIdentity, zoomTransform, type ZoomBehavior, type ZoomTransform } from "d3-zoom";
import { blockAt, contains, type Block } from "../addresses";
import { LIGHT } from "./colours";
import { blockAtPoint, rectOf } from "./layout";
import { paint } from "./paint";
import type { Frame, Scene } from "./scene";

export interface Hands {
  /** The reader selected a block; `isFinal` if the back button should return to it. */
  choose(block: Block, isFinal: boolean): void;
  /** The pointer is over a block, or over none (null). */
  hover(block: Block | null, x: number, y: number): void;
}

const DEEPEST = 4 ** 7;
const FLIGHT_MS = 320;
const LEAST_WIDTH = 24;
/** The performance mark of the last painting, for benchmarks. */
const PAINTED = "landkeeper-map-painted";

/** Return the block to show so that this block is visible with its surroundings. */
export function surroundings(block: Block): Block {
  return block.length <= 16 ? block : blockAt(block.first, block.length - 3);
}

export class MapView {
  private readonly zooming: ZoomBehavior<HTMLCanvasElement, unknown>;
  private readonly on: Selection<HTMLCanvasElement, unknown, null, undefined>;
  private readonly resizing: ResizeObserver;
  private waiting = 0;
  private size = { width: 0, height: 0 };
  private isPrinting = false;
  private readonly start: Block;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private scene: Scene,
    private readonly hands: Hands,
    start: Block,
  ) {
    this.start = start;
    this.on = select(canvas);
    this.zooming = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent([1, DEEPEST])
      .on("zoom", () => this.paintSoon());
    this.on.call(this.zooming).on("dblclick.zoom", null);
    canvas.addEventListener("click", (event) => this.pick(event, false));
    canvas.addEventListener("dblclick", (event) => this.pick(event, true));
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.hands.hover(null, 0, 0));
    addEventListener("beforeprint", this.beforePrint);
    addEventListener("afterprint", this.afterPrint);
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(canvas);
    this.resize();
  }

  end(): void {
    this.resizing.disconnect();
    cancelAnimationFrame(this.waiting);
    removeEventListener("beforeprint", this.beforePrint);
    removeEventListener("afterprint", this.afterPrint);
  }

  show(scene: Scene): void {
    this.scene = scene;
    this.paintSoon();
  }

  /** Fill the canvas with the block. */
  flyTo(block: Block): void {
    const to = this.fit(block);
    if (isStill()) this.on.call(this.zooming.transform, to);
    else this.on.transition().duration(FLIGHT_MS).call(this.zooming.transform, to);
  }

  /** Move the view only if the block is not visible or too small. */
  reveal(block: Block): void {
    const frame = this.frame();
    const rect = rectOf(block);
    const [left, top] = [rect.x * frame.width * frame.k + frame.x, rect.y * frame.height * frame.k + frame.y];
    const [w, h] = [rect.w * frame.width * frame.k, rect.h * frame.height * frame.k];
    const isInSight = left >= -1 && top >= -1 && left + w <= frame.width + 1 && top + h <= frame.height + 1;
    if (!isInSight || w < LEAST_WIDTH) this.flyTo(surroundings(block));
  }

  zoomBy(factor: number): void {
    if (isStill()) this.on.call(this.zooming.scaleBy, factor);
    else
      this.on
        .transition()
        .duration(FLIGHT_MS / 2)
        .call(this.zooming.scaleBy, factor);
  }

  /** Return the neighbouring block of the same size on that side; null at the edge. */
  next(block: Block, columns: number, rows: number): Block | null {
    const rect = rectOf(block);
    return blockAtPoint(rect.x + rect.w * (0.5 + columns), rect.y + rect.h * (0.5 + rows), block.length);
  }

  private fit(block: Block): ZoomTransform {
    const { width, height } = this.size;
    const rect = rectOf(block);
    const k = Math.min(DEEPEST, Math.max(1, 0.98 / Math.max(rect.w, rect.h)));
    const [x, y] = [width / 2 - (rect.x + rect.w / 2) * width * k, height / 2 - (rect.y + rect.h / 2) * height * k];
    return zoomIdentity.translate(x, y).scale(k);
  }

  private frame(): Frame {
    return { ...this.size, ...pick(zoomTransform(this.canvas)) };
  }

  private resize(): void {
    const { width, height } = this.canvas.getBoundingClientRect();
    if (!width || !height || (width === this.size.width && height === this.size.height)) return;
    const before = this.size;
    const { k, x, y } = zoomTransform(this.canvas);
    this.size = { width, height };
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.zooming
      .extent([
        [0, 0],
        [width, height],
      ])
      .translateExtent([
        [0, 0],
        [width, height],
      ]);
    const kept = zoomIdentity.translate((x * width) / before.width, (y * height) / before.height).scale(k);
    this.on.call(this.zooming.transform, before.width ? kept : this.fit(this.start));
    this.paintNow();
  }

  private paintSoon(): void {
    this.waiting ||= requestAnimationFrame(() => this.paintNow());
  }

  private paintNow(): void {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    const to = this.canvas.getContext("2d");
    if (!to || !this.size.width) return;
    const ratio = this.canvas.width / this.size.width;
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(to, this.isPrinting ? { ...this.scene, theme: LIGHT, cursor: null } : this.scene, this.frame());
    performance.clearMarks(PAINTED);
    performance.mark(PAINTED);
  }

  private readonly beforePrint = (): void => {
    this.isPrinting = true;
    this.paintNow();
  };

  private readonly afterPrint = (): void => {
    this.isPrinting = false;
    this.paintNow();
  };

  private pick(event: MouseEvent, isDeep: boolean): void {
    const found = this.under(event);
    if (!found) return;
    this.hands.choose(found, true);
    if (isDeep) this.flyTo(found);
  }

  private point(event: PointerEvent): void {
    this.hands.hover(event.buttons ? null : this.under(event), event.clientX, event.clientY);
  }

  /** Return the smallest VPC block under the pointer, or else the grid's cell. */
  private under(event: MouseEvent): Block | null {
    const box = this.canvas.getBoundingClientRect();
    const { width, height, k, x, y } = this.frame();
    const at = [(event.clientX - box.left - x) / (width * k), (event.clientY - box.top - y) / (height * k)] as const;
    const address = blockAtPoint(...at, 32);
    if (!address) return null;
    const around = (this.scene.world.claims[this.scene.space] ?? []).filter((claim) => contains(claim, address));
    const nearest = around.at(-1);
    const isLarge = nearest !== undefined && rectOf(nearest).w * width * k > 3;
    return isLarge ? { first: nearest.first, length: nearest.length } : blockAt(address.first, this.cell());
  }

  /** Return the prefix length of the grid's cells. */
  private cell(): number {
    const { width, k } = this.frame();
    return Math.min(28, 4 * Math.max(1, Math.floor(Math.log((width * k) / 60) / Math.log(4))));
  }
}

/** Whether the reader's system is set to reduced motion. */
function isStill(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function pick({ k, x, y }: ZoomTransform): { k: number; x: number; y: number } {
  return { k, x, y };
}
