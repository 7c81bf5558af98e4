/** Filters the cards of a list as one types; `/` goes there, Escape clears, Enter opens the only hit. */
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { count } from '../lib/format';
import { matches } from '../lib/match';
import { typing } from '../lib/page';
import { Icon } from '../lib/parts';

function Search({ list, label }: { list: HTMLElement; label: string }) {
  const [query, setQuery] = useState('');
  const [hits, setHits] = useState<HTMLElement[]>([]);
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const entries = [...list.children].filter((entry) => entry instanceof HTMLElement);
    for (const entry of entries) entry.hidden = !matches(query, entry.dataset.search ?? entry.textContent ?? '');
    setHits(entries.filter((entry) => !entry.hidden));
  }, [query]);

  useEffect(() => {
    const go = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', go);
    return () => document.removeEventListener('keydown', go);
  }, []);

  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setQuery('');
    if (event.key === 'Enter' && hits.length === 1) hits[0]?.querySelector<HTMLAnchorElement>('a[href]')?.click();
  };

  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        ref={field}
        class="input"
        type="search"
        aria-label={label}
        placeholder={label}
        autocomplete="off"
        spellcheck={false}
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={keys}
      />
      {query === '' && <kbd aria-hidden="true">/</kbd>}
      <span class="visually-hidden" role="status">
        {query && (hits.length > 0 ? count(hits.length, 'match', 'matches') : 'Nothing matches')}
      </span>
      {query !== '' && hits.length === 0 && <p class="search__none">Nothing matches. Escape shows all.</p>}
    </div>
  );
}

export function hydrate(element: HTMLElement, props: Record<string, unknown>): void {
  const list = document.querySelector<HTMLElement>(String(props.target ?? '.cards'));
  if (list) render(<Search list={list} label={String(props.label ?? 'Find an app')} />, element);
}
