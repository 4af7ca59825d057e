"""What Chromium is asked about a page: JavaScript expressions, each with what it returns."""

from __future__ import annotations

from tests.browser.visit import Visit


def flaws(visit: Visit) -> dict[str, list[str]]:
    """Return what is wrong with the look of a page as it is: too wide, cut, on another text, too pale."""
    looks = {"wide": OVERFLOW, "cut": CUT_TEXTS, "over": OVERLAPS, "pale": LOW_CONTRAST}
    return {name: found for name, script in looks.items() if (found := visit.measure(script))}


OVERFLOW = """() => {
  const root = document.documentElement, found = []
  if (root.scrollWidth <= innerWidth) return found
  for (const element of document.body.querySelectorAll('*')) {
    const right = element.getBoundingClientRect().right + scrollX
    let clipped = false
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== 'visible') clipped = true
    if (!clipped && right > innerWidth + 0.5)
      found.push(`<${element.tagName.toLowerCase()} id="${element.id}" class="${element.getAttribute('class') || ''}">`
        + ` ends at ${right.toFixed(0)} of ${innerWidth}: ${element.textContent.trim().slice(0, 40)}`)
  }
  return found.length ? found : [`the document is ${root.scrollWidth} wide, the window ${innerWidth}`]
}"""
"""Elements that make the document wider than the window, outermost first; none where it fits."""

_QUADS = """
  const quad = text => {
    const box = text.getBBox(), matrix = text.getScreenCTM()
    const corner = (x, y) => { const p = new DOMPoint(x, y).matrixTransform(matrix); return [p.x, p.y] }
    return [corner(box.x, box.y), corner(box.x + box.width, box.y),
            corner(box.x + box.width, box.y + box.height), corner(box.x, box.y + box.height)]
  }
  const drawn = svg => [...svg.querySelectorAll('text')]
    .filter(text => text.textContent.trim() && text.getBBox().width > 0 && text.checkVisibility({visibilityProperty: true}))
  const name = svg => svg.closest('figure')?.querySelector('figcaption')?.textContent.trim().slice(0, 60)
    || svg.getAttribute('aria-label')?.slice(0, 60) || 'a chart'
"""

CUT_TEXTS = (
    "() => {"
    + _QUADS
    + """
  const found = []
  for (const svg of document.querySelectorAll('svg')) {
    const box = svg.getBoundingClientRect()
    for (const text of drawn(svg)) {
      const corners = quad(text), xs = corners.map(c => c[0]), ys = corners.map(c => c[1])
      const beyond = Math.max(box.left - Math.min(...xs), Math.max(...xs) - box.right,
                              box.top - Math.min(...ys), Math.max(...ys) - box.bottom)
      if (beyond > 2) found.push(`${name(svg)}: "${text.textContent.trim()}" is cut by ${beyond.toFixed(1)} px`)
    }
  }
  return found
}"""
)
"""Texts of charts that lie outside their picture, with 2 px of tolerance."""

OVERLAPS = (
    "() => {"
    + _QUADS
    + """
  const axes = (a, b) => [a, b].flatMap(q => [0, 1].map(i => {
    const dx = q[i + 1][0] - q[i][0], dy = q[i + 1][1] - q[i][1], length = Math.hypot(dx, dy) || 1
    return [dx / length, dy / length]
  }))
  const depth = (a, b) => Math.min(...axes(a, b).map(([x, y]) => {
    const on = q => q.map(c => c[0] * x + c[1] * y), p = on(a), r = on(b)
    return Math.min(Math.max(...p), Math.max(...r)) - Math.max(Math.min(...p), Math.min(...r))
  }))
  // A text's box has room for accents and tails above and below its letters.
  const tight = q => { const t = 0.2, mix = (p, r) => [p[0] + t * (r[0] - p[0]), p[1] + t * (r[1] - p[1])]
    return [mix(q[0], q[3]), mix(q[1], q[2]), mix(q[2], q[1]), mix(q[3], q[0])] }
  const found = []
  for (const svg of document.querySelectorAll('svg')) {
    const texts = drawn(svg).map(text => [text.textContent.trim(), tight(quad(text))])
    texts.forEach(([word, box], i) => texts.slice(i + 1).forEach(([other, beside]) => {
      if (depth(box, beside) > 1) found.push(`${name(svg)}: "${word}" lies on "${other}"`)
    }))
  }
  return found
}"""
)
"""Pairs of texts of one chart that lie on each other: rotated boxes, separating axes (Gottschalk 1996)."""

LOW_CONTRAST = """() => {
  const pen = Object.assign(document.createElement('canvas'), {width: 1, height: 1})
    .getContext('2d', {willReadFrequently: true})
  const known = new Map()
  const rgba = css => {
    if (!known.has(css)) {
      pen.clearRect(0, 0, 1, 1); pen.fillStyle = '#000'; pen.fillStyle = css; pen.fillRect(0, 0, 1, 1)
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data
      known.set(css, [r, g, b, a / 255])
    }
    return known.get(css)
  }
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1)
  const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => {
    const s = c[i] / 255
    return sum + part * (s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4)
  }, 0)
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05) }
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1]
  const fade = element => { let o = 1; for (let e = element; e; e = e.parentElement) o *= getComputedStyle(e).opacity; return o }
  const ground = element => {
    const layers = []
    for (let e = element; e; e = e.parentElement)
      if (!(e instanceof SVGElement) || e instanceof SVGSVGElement) {
        const layer = rgba(getComputedStyle(e).backgroundColor)
        if (layer[3] > 0) layers.unshift(layer)
        if (layer[3] === 1) break
      }
    return layers.reduce((below, top) => over(top, below), canvas)
  }
  const painted = (text, svg) => {
    let colour = ground(svg)
    const box = text.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2
    for (const shape of svg.querySelectorAll('path, rect, circle, ellipse, polygon')) {
      if (!(shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)) continue
      const style = getComputedStyle(shape)
      if (style.fill === 'none' || !shape.getScreenCTM() || shape.closest('defs, clipPath')) continue
      if (style.fill.startsWith('url')) continue
      if (!shape.isPointInFill(new DOMPoint(x, y).matrixTransform(shape.getScreenCTM().inverse()))) continue
      const fill = rgba(style.fill)
      colour = over([...fill.slice(0, 3), fill[3] * style.fillOpacity * fade(shape)], colour)
    }
    return colour
  }
  const found = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const word = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement
    if (!word || element.closest('script, style, title, desc, noscript, template')) continue
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue
    const box = element.getBoundingClientRect()
    if (box.width < 2 || box.height < 2) continue  // for screen readers only
    const style = getComputedStyle(element), svg = element.closest('svg')
    const below = svg ? painted(element.closest('text') || element, svg) : ground(element)
    const ink = rgba(svg ? style.fill : style.color)
    const seen = over([...ink.slice(0, 3), ink[3] * fade(element)], below)
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700)
    const contrast = ratio(seen, below)
    if (contrast < (large ? 3 : 4.5))
      found.add(`${contrast.toFixed(2)}:1 ${svg ? 'svg ' : ''}<${element.tagName.toLowerCase()}`
        + ` class="${element.getAttribute('class') || ''}"> ${word.slice(0, 40)}`)
  }
  return [...found]
}"""
"""Texts below WCAG 2.2's contrast (1.4.3, AA): 4.5:1, for large ones 3:1. What lies behind an image is not seen."""

CLOSED_DETAILS = """() => [...document.querySelectorAll('main details')].filter(each => {
  const inside = [...each.children].filter(child => child.tagName !== 'SUMMARY')
  return !inside.length || !inside.some(child =>
    child.getBoundingClientRect().height > 0 && child.checkVisibility({contentVisibilityAuto: true}))
}).map(each => each.querySelector('summary').textContent.trim())"""
"""The summaries of all <details> whose content is not to be seen."""

LONG_DETAILS = """() => [...document.querySelectorAll('main details')]
  .filter(each => each.querySelectorAll('tbody tr').length > 40)
  .map(each => each.querySelector('summary').textContent.trim())"""
"""The summaries of the <details> with more than 40 rows, which paper shows only where somebody opened them."""

OUTLINE = """() => ({
  headings: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
    .filter(each => each.checkVisibility()).map(each => each.tagName + ' ' + each.textContent.trim()),
  tables: [...document.querySelectorAll('table')].map(each => [...each.rows].map(row => row.cells.length).join(' ')),
  pictures: [...document.querySelectorAll('svg[role=img], img')].filter(each => each.checkVisibility())
    .map(each => each.getAttribute('aria-label') || each.getAttribute('alt')),
})"""
"""Headings, the shapes of tables, and the names of pictures."""

DEAD_CONTROLS = """() => [...document.querySelectorAll('button, input, select, textarea')]
  .filter(each => each.checkVisibility()).map(each => each.outerHTML.slice(0, 80))"""
"""Controls that can be seen; without scripts they would do nothing."""

FOCUSED = """() => {
  const element = document.activeElement, box = element.getBoundingClientRect()
  return {tag: element.tagName, href: element.getAttribute('href'), id: element.id,
          seen: box.width > 1 && box.height > 1 && box.right > 0 && box.bottom > 0
                && box.left < innerWidth && box.top < innerHeight}
}"""
"""The element that has the focus, and whether it can be seen."""

KINDS = """() => [...document.querySelectorAll('*')].map(element =>
  `${element.tagName.toLowerCase()} ${element.getAttributeNames().sort().join(' ')}`)"""
"""Tag and sorted attribute names of every element, in order."""
