/** The controls above the map: search, space, colours, and links to other blocks. */

import { breadcrumb, formatBlock, type Block } from "../addresses";
import { move, type Place } from "../route";
import type { World } from "../world";
import type { Selection } from "./selection";
import { COLOURINGS } from "./colours";
import { EVERYTHING, RANGES } from "./space";

interface ToolsProps {
  readonly world: World;
  readonly place: Place;
  readonly selection: Selection;
  readonly goToFirst: () => void;
}

export function Tools({ world, place, selection, goToFirst }: ToolsProps) {
  const { spaces } = world.report;
  return (
    <div class="tools">
      <label class="grow">
        <span>Search</span>
        <input
          type="search"
          value={selection.text}
          placeholder="10.1.0.0/16, account, VPC id, name, tag"
          onInput={(event) => move(place, { q: event.currentTarget.value }, false)}
          onKeyDown={(event) => event.key === "Enter" && goToFirst()}
        />
      </label>
      {spaces.length > 1 && (
        <label>
          <span>Space</span>
          <select
            value={spaces[selection.space]?.name}
            onChange={(event) => move(place, { space: event.currentTarget.value, at: null, vpc: null })}
          >
            {spaces.map((space) => (
              <option value={space.name}>{space.name}</option>
            ))}
          </select>
        </label>
      )}
      <label>
        <span>Colour by</span>
        <select
          value={selection.colouring}
          onChange={(event) => move(place, { colour: event.currentTarget.value }, false)}
        >
          {Object.entries(COLOURINGS).map(([key, title]) => (
            <option value={key}>{title}</option>
          ))}
        </select>
      </label>
    </div>
  );
}

interface WaysProps {
  readonly block: Block;
  readonly go: (block: Block, isDeep: boolean) => void;
  readonly zoomBy: (factor: number) => void;
}

/** Buttons for the private ranges, for zooming, and for the blocks around the selected block. */
export function Ways({ block, go, zoomBy }: WaysProps) {
  return (
    <>
      <div class="ranges" role="group" aria-label="Go to a range">
        {[...RANGES, EVERYTHING].map((range) => (
          <button type="button" onClick={() => go(range, true)}>
            {range.length ? formatBlock(range) : "all of IPv4"}
          </button>
        ))}
        <span class="spring" />
        <button type="button" onClick={() => zoomBy(2)} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => zoomBy(0.5)} aria-label="Zoom out">
          −
        </button>
      </div>
      <nav class="crumbs" aria-label="Blocks around the selected block">
        <ol>
          {breadcrumb(block).map((outer, at, all) => (
            <li>
              <button
                type="button"
                class="link"
                aria-current={at === all.length - 1 ? "location" : undefined}
                onClick={() => go(outer, true)}
              >
                {outer.length ? formatBlock(outer) : "all"}
              </button>
            </li>
          ))}
        </ol>
      </nav>
    </>
  );
}
