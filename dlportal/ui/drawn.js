// Charts that change while one looks: drawn as SVG into nodes that stay; no library to load.
// `data` is JSON: { columns, charts: [{ title, numbers, alt, height, margin, x, y, layers, legend,
// note }] }; see drawn.py for what the fields mean.
const DASHES = { solid: "", dash: "9 6", dot: "3 4", dashdot: "9 4 3 4", longdash: "14 6" }
const SUPER = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" }

const piece = (tag, style, text) => {
  const node = document.createElement(tag)
  if (style) node.className = style
  if (text !== undefined) node.textContent = text
  return node
}

const svg = (tag, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  if (text !== undefined) node.textContent = text
  return node
}

const pin = (value) => Math.max(-1e5, Math.min(1e5, value)).toFixed(1)

// A marker around (0, 0); `r` is half its size.
const MARKS = {
  circle: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  square: (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}Z`,
  diamond: (r) => `M0 ${-1.3 * r}L${1.3 * r} 0L0 ${1.3 * r}L${-1.3 * r} 0Z`,
  "triangle-up": (r) => `M0 ${-1.1 * r}L${1.1 * r} ${0.9 * r}L${-1.1 * r} ${0.9 * r}Z`,
  x: (r) => `M${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}`,
  bar: (r) => `M${-r} 0H${r}`,
  star: (r) =>
    [...Array(10).keys()]
      .map((k) => {
        const far = k % 2 ? 0.4 * r : r
        const turn = (Math.PI * k) / 5
        return `${k ? "L" : "M"}${(far * Math.sin(turn)).toFixed(2)} ${(-far * Math.cos(turn)).toFixed(2)}`
      })
      .join("") + "Z",
}

// Where an axis has its ticks, and what stands there.
function ticks(axis) {
  if (axis.ticks) return axis.ticks
  const [low, high] = axis.range
  const found = []
  if (axis.log) {
    const every = Math.max(1, Math.round((high - low) / 6))
    for (let power = Math.ceil(low); power <= high + 1e-9; power += every)
      found.push([power, "10" + [...String(power)].map((c) => SUPER[c]).join("")])
    return found
  }
  const rough = (high - low) / (axis.count || 5)
  const unit = 10 ** Math.floor(Math.log10(rough))
  const step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough * 0.999)
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k++)
    found.push([k * step, String(+(k * step).toPrecision(6))])
  return found
}

// Cells of a table of numbers as one small picture that the browser stretches.
function heat(layer, box) {
  const rows = layer.z.length
  const columns = layer.z[0].length
  const canvas = piece("canvas")
  canvas.width = columns
  canvas.height = rows
  const context = canvas.getContext("2d")
  const image = context.createImageData(columns, rows)
  const stops = layer.colors.map((c) => [1, 3, 5].map((k) => parseInt(c.slice(k, k + 2), 16)))
  layer.z.forEach((line, row) =>
    line.forEach((value, column) => {
      const spot = 4 * (columns * (layer.upward ? rows - 1 - row : row) + column)
      if (value === null) return
      const place =
        Math.max(0, Math.min(1, (value - layer.low) / (layer.high - layer.low))) * (stops.length - 1)
      const first = Math.min(stops.length - 2, Math.floor(place))
      for (let k = 0; k < 3; k++)
        image.data[spot + k] =
          stops[first][k] + (place - first) * (stops[first + 1][k] - stops[first][k])
      image.data[spot + 3] = 255
    }),
  )
  context.putImageData(image, 0, 0)
  const picture = svg("image", {
    href: canvas.toDataURL(),
    x: box.x(layer.x[0]),
    y: box.y(layer.y[1]),
    width: box.x(layer.x[1]) - box.x(layer.x[0]),
    height: box.y(layer.y[0]) - box.y(layer.y[1]),
    preserveAspectRatio: "none",
  })
  if (layer.sharp) picture.style.imageRendering = "pixelated"
  return picture
}

// The line at which a table of numbers has a value (marching squares); row 0 lies at the bottom.
function level(layer, box) {
  const rows = layer.z.length
  const columns = layer.z[0].length
  const at = (row, column) => [
    layer.x[0] + ((column + 0.5) / columns) * (layer.x[1] - layer.x[0]),
    layer.y[0] + ((row + 0.5) / rows) * (layer.y[1] - layer.y[0]),
  ]
  let path = ""
  for (let row = 0; row + 1 < rows; row++)
    for (let column = 0; column + 1 < columns; column++) {
      const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]]
      const crossings = []
      corners.forEach((from, k) => {
        const to = corners[(k + 1) % 4]
        const a = layer.z[from[0]][from[1]] - layer.level
        const b = layer.z[to[0]][to[1]] - layer.level
        if (a < 0 === b < 0) return
        const [p, q] = [at(...from), at(...to)]
        const share = a / (a - b)
        crossings.push([p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])])
      })
      for (let k = 0; k + 1 < crossings.length; k += 2)
        path += `M${pin(box.x(crossings[k][0]))} ${pin(box.y(crossings[k][1]))}L${pin(box.x(crossings[k + 1][0]))} ${pin(box.y(crossings[k + 1][1]))}`
    }
  return svg("path", { d: path, fill: "none", stroke: layer.color, "stroke-width": layer.width })
}

function mark(layer, d, place) {
  const open = layer.open || ["x", "bar"].includes(layer.shape)
  return svg("path", {
    d,
    transform: place,
    fill: open ? "none" : layer.color,
    stroke: open ? layer.color : "none",
    "stroke-width": 2,
  })
}

const LAYERS = {
  heat,
  level,
  line(layer, box) {
    let pen = "M"
    let path = ""
    layer.x.forEach((x, k) => {
      if (layer.y[k] === null || x === null) pen = "M"
      else {
        path += `${pen}${pin(box.x(x))} ${pin(box.y(layer.y[k]))}`
        pen = "L"
      }
    })
    return svg("path", {
      d: path,
      fill: "none",
      stroke: layer.color,
      "stroke-width": layer.width,
      "stroke-dasharray": DASHES[layer.dash] || "",
      "stroke-linejoin": "round",
      opacity: layer.opacity ?? 1,
    })
  },
  points(layer, box) {
    const group = svg("g", {})
    const d = MARKS[layer.shape](layer.size / 2)
    layer.x.forEach((x, k) =>
      group.append(mark(layer, d, `translate(${pin(box.x(x))} ${pin(box.y(layer.y[k]))})`)),
    )
    return group
  },
  band(layer, box) {
    const edge = (ys) => layer.x.map((x, k) => `${pin(box.x(x))} ${pin(box.y(ys[k]))}`)
    const round = [...edge(layer.high), ...edge(layer.low).reverse()]
    return svg("path", { d: round.length ? `M${round.join("L")}Z` : "", fill: layer.color })
  },
  bars(layer, box) {
    const group = svg("g", {})
    const floor = box.y(layer.from)
    layer.x.forEach((x, k) => {
      if (layer.y[k] === null) return
      const left = box.x(x - layer.width / 2)
      const top = Math.min(floor, box.y(layer.y[k]))
      const right = box.x(x + layer.width / 2)
      group.append(
        svg("rect", {
          x: pin(left),
          y: pin(top),
          width: pin(Math.max(1, right - left - 1)),
          height: pin(floor - top),
          fill: layer.colors[k],
        }),
      )
    })
    return group
  },
  rule(layer, box) {
    const x = pin(box.x(layer.x))
    return svg("path", {
      d: `M${x} ${box.top}V${box.bottom}`,
      stroke: layer.color,
      "stroke-width": 1.5,
      "stroke-dasharray": DASHES.dot,
    })
  },
  text(layer, box) {
    const node = svg(
      "text",
      {
        x: pin(layer.x === null ? box.right : box.x(layer.x) + (layer.shift || 0)),
        y: pin(layer.y === null ? box.top - 6 : box.y(layer.y) + 4),
        "text-anchor": layer.anchor || "start",
        fill: layer.color,
      },
      layer.text,
    )
    if (layer.title) node.append(svg("title", {}, layer.title))
    return node
  },
}

// The SVG's content: frame, layers inside a clip, axes.
function content(chart, width, id) {
  const { l, r, t, b } = chart.margin
  const [left, right, top, bottom] = [l, width - r, t, chart.height - b]
  const scale = (range, from, to) => (v) => from + ((v - range[0]) / (range[1] - range[0])) * (to - from)
  const x = scale(chart.x.range, left, right)
  const y = scale(chart.y.range, bottom, top)
  let box = { x, y, left, right, top, bottom }
  if (chart.square) {
    // As wide as high, in the middle.
    const side = Math.min(right - left, bottom - top)
    const middle = [(left + right) / 2, (top + bottom) / 2]
    const ratio = (chart.x.range[1] - chart.x.range[0]) / (chart.y.range[1] - chart.y.range[0])
    const w = Math.min(right - left, side * ratio)
    const h = w / ratio
    box = {
      left: middle[0] - w / 2, right: middle[0] + w / 2, top: middle[1] - h / 2, bottom: middle[1] + h / 2,
    }
    box.x = scale(chart.x.range, box.left, box.right)
    box.y = scale(chart.y.range, box.bottom, box.top)
  }
  const out = []
  const clip = svg("clipPath", { id })
  clip.append(
    // A little larger than the frame: a mark on the edge is not cut in half.
    svg("rect", { x: box.left - 6, y: box.top - 6, width: box.right - box.left + 12, height: box.bottom - box.top + 12 }),
  )
  out.push(clip)
  if (chart.y.grid)
    for (const [value] of ticks(chart.y))
      out.push(
        svg("path", { d: `M${box.left} ${pin(box.y(value))}H${box.right}`, stroke: chart.y.grid, "stroke-width": 1 }),
      )
  const inside = svg("g", { "clip-path": `url(#${id})` })
  const texts = []
  for (const layer of chart.layers) {
    const node = LAYERS[layer.kind](layer, box)
    if (layer.kind === "text") texts.push(node)
    else inside.append(node)
  }
  const axes = []
  if (!chart.x.hidden) {
    for (const [value, text] of ticks(chart.x))
      axes.push(svg("text", { x: pin(box.x(value)), y: box.bottom + 17, "text-anchor": "middle", class: "tick" }, text))
    if (chart.x.title)
      axes.push(svg("text", { x: (box.left + box.right) / 2, y: box.bottom + 36, "text-anchor": "middle" }, chart.x.title))
  }
  if (!chart.y.hidden) {
    for (const [value, text] of ticks(chart.y))
      axes.push(svg("text", { x: box.left - 7, y: pin(box.y(value) + 4), "text-anchor": "end", class: "tick" }, text))
    if (chart.y.title) {
      const middle = (box.top + box.bottom) / 2
      axes.push(
        svg("text", { transform: `translate(14 ${middle}) rotate(-90)`, "text-anchor": "middle" }, chart.y.title),
      )
    }
  }
  return [...out, inside, ...axes, ...texts]
}

// A sample of a layer's look beside its name.
function key(layer) {
  const item = piece("span", "key")
  const sample = svg("svg", { width: layer.kind === "line" ? 26 : 14, height: 12, "aria-hidden": "true" })
  sample.append(
    layer.kind === "line"
      ? svg("path", {
          d: "M0 6H26", stroke: layer.color, "stroke-width": 3, "stroke-dasharray": DASHES[layer.dash] || "",
        })
      : layer.kind === "band"
        ? svg("rect", { width: 14, height: 12, fill: layer.color })
        : mark(layer, MARKS[layer.shape](5), "translate(7 6)"),
  )
  item.append(sample, piece("span", "", layer.name))
  return item
}

function head(chart) {
  const parts = []
  if (chart.title) parts.push(piece("div", "title", chart.title))
  if (chart.numbers.length) {
    const numbers = piece("div", "numbers")
    for (const [name, value] of chart.numbers) {
      const number = piece("div", "number")
      number.append(piece("div", "name", name), piece("div", "value", value))
      numbers.append(number)
    }
    parts.push(numbers)
  }
  const named = chart.layers.filter((layer) => layer.name)
  if (named.length) {
    const legend = piece("div", "legend")
    legend.append(...named.map(key))
    parts.push(legend)
  }
  return parts
}

function fill(figure, chart, number) {
  if (!figure.firstChild) {
    figure.append(piece("div", "head"), svg("svg", { role: "img", class: "chart" }), piece("figcaption"))
  }
  const [top, picture, caption] = figure.children
  top.replaceChildren(...head(chart))
  const width = figure.clientWidth
  picture.setAttribute("aria-label", chart.alt)
  picture.setAttribute("width", width)
  picture.setAttribute("height", chart.height)
  if (width) picture.replaceChildren(...content(chart, width, `inside-${number}`))
  caption.textContent = chart.note
  caption.hidden = !chart.note
}

function draw(root) {
  const { charts, columns } = root.shown
  root.style.setProperty("--columns", columns)
  while (root.children.length > charts.length) root.lastChild.remove()
  while (root.children.length < charts.length) root.append(piece("figure"))
  charts.forEach((chart, number) => fill(root.children[number], chart, number))
}

export default function ({ data, parentElement }) {
  let root = parentElement.querySelector(".drawn")
  if (!root) {
    root = piece("div", "drawn")
    parentElement.append(root)
    // Streamlit fades what a run has not redrawn yet; a chart that moves would flicker.
    const frame = root.getRootNode().host?.closest("[data-testid=stElementContainer]")
    frame?.style.setProperty("opacity", "1", "important")
    new ResizeObserver(() => {
      if (root.clientWidth !== root.drawnAt) {
        root.drawnAt = root.clientWidth
        draw(root)
      }
    }).observe(root)
  }
  root.shown = JSON.parse(new TextDecoder().decode(data))
  root.drawnAt = root.clientWidth
  draw(root)
}
