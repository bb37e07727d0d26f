/** A field that suggests accounts, units, spaces and VPCs while the reader types (ARIA combobox with a listbox). */

import { useEffect, useId, useState } from "preact/hooks";
import { Words } from "../parts/text";
import type { Vpc } from "../world";

export interface Endpoint {
  readonly key: string;
  readonly label: string;
  readonly kind: "account" | "unit" | "space" | "VPC";
  readonly vpcs: readonly Vpc[];
}

interface Props {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly chosen: Endpoint | null;
  readonly choose: (key: string) => void;
}

const OFFERED = 12;

export function Chooser({ name, endpoints, chosen, choose }: Props) {
  const id = useId();
  const [text, setText] = useState(chosen?.label ?? "");
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  useEffect(() => setText(chosen?.label ?? ""), [chosen?.key]);
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  const offered = isOpen
    ? firstOf(endpoints, (endpoint) => parts.every((part) => endpoint.label.toLowerCase().includes(part)), OFFERED)
    : [];
  const take = (endpoint: Endpoint | undefined) => {
    if (!endpoint) return;
    setOpen(false);
    setText(endpoint.label);
    choose(endpoint.key);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      setAt((now) => Math.max(0, Math.min(offered.length - 1, now + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Enter") take(offered[at]);
    else if (event.key === "Escape") setOpen(false);
  };
  return (
    <div class="chooser grow">
      <label for={id}>{name}</label>
      <input
        id={id}
        type="text"
        role="combobox"
        autoComplete="off"
        spellcheck={false}
        value={text}
        placeholder="account, unit, space or VPC id"
        aria-expanded={offered.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={offered.length ? `${id}-${at}` : undefined}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
          setAt(0);
        }}
        onFocus={(event) => event.currentTarget.select()}
        onKeyDown={onKey}
        onBlur={() => setOpen(false)}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={`${name}: suggestions`} hidden={!offered.length}>
        {offered.map((endpoint, number) => (
          <li
            id={`${id}-${number}`}
            role="option"
            aria-selected={number === at}
            onPointerDown={(event) => {
              event.preventDefault();
              take(endpoint);
            }}
          >
            <Words text={endpoint.label} /> <span class="muted">{endpoint.kind}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function firstOf<Item>(all: readonly Item[], isWanted: (item: Item) => boolean, most: number): Item[] {
  const found: Item[] = [];
  for (const item of all) {
    if (isWanted(item)) found.push(item);
    if (found.length === most) break;
  }
  return found;
}
