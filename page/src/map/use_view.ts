/** The map's canvas while its page is shown. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Block } from "../addresses";
import type { Scene } from "./scene";
import type { Hover } from "./tip";
import { MapView, surroundings } from "./view";

interface Wanted {
  readonly scene: Scene;
  readonly block: Block;
  readonly home: Block;
  /** Whether the page's address names a block or a VPC, which must then be visible. */
  readonly isPlaced: boolean;
  readonly choose: (block: Block, isStep: boolean) => void;
}

export function useView(wanted: Wanted) {
  const { scene, block, home, isPlaced } = wanted;
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<MapView | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  // The canvas keeps its event handlers while the page renders again: they use the newest properties.
  const newest = useRef(wanted);
  newest.current = wanted;
  useEffect(() => {
    if (!canvas.current) return;
    const hands = {
      choose: (chosen: Block, isStep: boolean) => newest.current.choose(chosen, isStep),
      hover: (over: Block | null, x: number, y: number) => setHover(over && { block: over, x, y }),
    };
    const made = new MapView(canvas.current, scene, hands, isPlaced ? surroundings(block) : home);
    view.current = made;
    return () => made.end();
  }, []);
  useEffect(() => view.current?.show(scene), [scene]);
  useEffect(() => {
    if (isPlaced) view.current?.reveal(block);
    else view.current?.flyTo(home);
  }, [block.first, block.length, scene.space]);
  return { canvas, view, hover };
}
