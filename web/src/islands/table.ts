/** What an operator's table gains by script: columns to choose, export of what is seen, rows by keyboard. */
import { csv } from '../lib/csv';
import { count } from '../lib/format';
import { icon } from '../lib/icon';
import { recall, remember, save, typing } from '../lib/page';

export function hydrate(element: HTMLElement, props: Record<string, unknown>): void {
  const table = element.querySelector('table');
  if (!table) return;
  const name = String(props.name ?? location.pathname);
  rowsByKeyboard(table);
  const tools = document.createElement('div');
  tools.className = 'table-tools';
  const shown = document.createElement('span');
  const tell = () => {
    shown.textContent = count(table.tBodies[0]?.rows.length ?? 0, 'row');
  };
  tell();
  document.addEventListener('portico:changed', tell);
  const end = document.createElement('div');
  end.className = 'table-tools__end';
  const heads = headings(table);
  if (heads.length > 3) end.append(columns(table, heads, name));
  if (typeof props.export === 'string') end.append(exporter(table, props.export));
  tools.append(shown, end);
  element.before(tools);
}

interface Heading {
  index: number;
  text: string;
}

/** Headings a person sees; the first names the row and always stays. */
function headings(table: HTMLTableElement): Heading[] {
  return [...(table.tHead?.rows[0]?.cells ?? [])]
    .map((cell, index) => ({ index, text: cell.textContent?.trim() ?? '', spoken: cell.querySelector('.visually-hidden') !== null }))
    .filter(({ text, spoken }) => text !== '' && !spoken);
}

function rowsByKeyboard(table: HTMLTableElement): void {
  const rows = () => [...(table.tBodies[0]?.rows ?? [])];
  const ready = () => {
    const all = rows();
    if (!all.some((row) => row.tabIndex === 0)) all.forEach((row, index) => (row.tabIndex = index === 0 ? 0 : -1));
  };
  ready();
  document.addEventListener('portico:changed', ready);
  table.addEventListener('keydown', (event) => {
    const row = event.target instanceof Element ? event.target.closest('tr') : null;
    if (!row || typing(event.target)) return;
    const all = rows();
    const at = all.indexOf(row);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next !== undefined && all[next]) {
      event.preventDefault();
      for (const one of all) one.tabIndex = -1;
      all[next].tabIndex = 0;
      all[next].focus();
    } else if (event.key === 'Enter' && event.target === row) {
      row.querySelector<HTMLAnchorElement>('a[href]')?.click();
    }
  });
}

function columns(table: HTMLTableElement, heads: Heading[], name: string): HTMLElement {
  const key = `columns.${name}`;
  const hidden = new Set((recall(key) ?? '').split('\n').filter(Boolean));
  const apply = () => {
    for (const { index, text } of heads) {
      for (const row of table.rows) {
        const cell = row.cells[index];
        if (cell) cell.hidden = hidden.has(text);
      }
    }
  };
  const menu = document.createElement('details');
  menu.className = 'menu';
  const summary = document.createElement('summary');
  summary.className = 'button button--quiet button--small';
  summary.append(icon('columns'), 'Columns');
  const list = document.createElement('div');
  list.className = 'menu__list';
  for (const { text } of heads.slice(1)) {
    const label = document.createElement('label');
    label.className = 'check';
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.checked = !hidden.has(text);
    box.addEventListener('change', () => {
      if (box.checked) hidden.delete(text);
      else hidden.add(text);
      remember(key, [...hidden].join('\n'));
      apply();
    });
    label.append(box, text);
    list.append(label);
  }
  menu.append(summary, list);
  apply();
  document.addEventListener('portico:changed', apply);
  return menu;
}

function exporter(table: HTMLTableElement, file: string): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button button--quiet button--small';
  button.append(icon('download'), 'Export');
  button.addEventListener('click', () => {
    const heads = headings(table).filter(({ index }) => !table.tHead?.rows[0]?.cells[index]?.hidden);
    const rows = [...(table.tBodies[0]?.rows ?? [])].map((row) => heads.map(({ index }) => value(row.cells[index])));
    save(file, 'text/csv;charset=utf-8', [csv([heads.map(({ text }) => text), ...rows])]);
  });
  return button;
}

/** Text of a cell; times as the machine reads them. */
function value(cell: HTMLTableCellElement | undefined): string {
  const time = cell?.querySelector('time');
  return time ? time.dateTime : (cell?.textContent ?? '').replace(/\s+/g, ' ').trim();
}
