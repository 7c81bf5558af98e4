/** An icon of the sheet, for code that builds elements by hand. */
import { base } from './page';

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `${base()}icons.svg#${name}`);
  svg.append(use);
  return svg;
}
