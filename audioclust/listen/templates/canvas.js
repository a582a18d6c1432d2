// Many points on a canvas: WebGL draws them, or the canvas itself where there is none.
const CELL = 64; // pixels of a marker in the atlas, which holds all shapes side by side
const OUTLINES = { // corners, how far they are turned (in turns), and the radius of the corners between them; or arms of a cross
  "triangle-up": {n: 3}, "triangle-down": {n: 3, turn: .5}, "triangle-left": {n: 3, turn: .75}, "triangle-right": {n: 3, turn: .25},
  square: {n: 4, turn: .125}, diamond: {n: 4}, pentagon: {n: 5}, star: {n: 5, inner: .45}, cross: {arms: 0}, x: {arms: .125},
};

function tracePolygon(context, radius, {n, turn = 0, inner}) {
  const corners = inner ? 2 * n : n;
  for (let i = 0; i < corners; i++) {
    const angle = 2 * Math.PI * (turn + i / corners - .25), r = inner && i % 2 ? inner * radius : radius;
    context.lineTo(r * Math.cos(angle), r * Math.sin(angle));
  }
}

function drawShape(context, name, radius) { // around the origin
  const outline = OUTLINES[name];
  context.beginPath();
  if (!outline) context.arc(0, 0, radius * .9, 0, 2 * Math.PI);
  else if (outline.n) tracePolygon(context, radius, outline);
  else {
    const width = radius * .36;
    context.rotate(2 * Math.PI * outline.arms);
    context.rect(-radius, -width, 2 * radius, 2 * width);
    context.rect(-width, -radius, 2 * width, 2 * radius);
  }
  if (name !== "circle-open") return context.fill();
  context.lineWidth = radius * .3;
  context.stroke();
}

function drawAtlas(names, colour = "#fff") {
  const atlas = element("canvas", {width: CELL * names.length, height: CELL}), context = atlas.getContext("2d");
  context.fillStyle = context.strokeStyle = colour;
  names.forEach((name, i) => {
    context.setTransform(1, 0, 0, 1, CELL * (i + .5), CELL / 2);
    drawShape(context, name, CELL * .45);
  });
  return atlas;
}

const VERTEX = `
  attribute vec2 place; attribute vec4 tint; attribute float shape;
  uniform vec2 middle, scale; uniform float size;
  varying vec4 colour; varying float cell;
  void main() {
    gl_Position = vec4((place - middle) * scale, 0, 1);
    gl_PointSize = size;
    colour = tint;
    cell = shape;
  }`;
const FRAGMENT = `
  precision mediump float;
  uniform sampler2D atlas; uniform float cells;
  varying vec4 colour; varying float cell;
  void main() {
    float inside = texture2D(atlas, vec2((gl_PointCoord.x + floor(cell + .5)) / cells, gl_PointCoord.y)).a;
    gl_FragColor = vec4(colour.rgb, 1) * colour.a * inside;
  }`;
const POINT_BYTES = 8; // of what a point looks like: red, green, blue, opacity, shape, and three that are not used

function compile(gl, type, source) {
  const shader = gl.createShader(type);
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  return shader;
}

function webglPainter(canvas, shapes) { // null where there is no WebGL
  const gl = canvas.getContext("webgl", {antialias: false, alpha: true});
  if (!gl) return null;
  const program = gl.createProgram();
  gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, drawAtlas(shapes));
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  const uniform = name => gl.getUniformLocation(program, name);
  gl.uniform1f(uniform("cells"), shapes.length);
  const buffers = [gl.createBuffer(), gl.createBuffer()];
  function attribute(name, buffer, size, type, normalized, stride, offset) {
    const location = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, type, normalized, stride, offset);
  }
  attribute("place", buffers[0], 2, gl.FLOAT, false, 0, 0);
  attribute("tint", buffers[1], 4, gl.UNSIGNED_BYTE, true, POINT_BYTES, 0);
  attribute("shape", buffers[1], 1, gl.UNSIGNED_BYTE, false, POINT_BYTES, 4);
  function fill(buffer, values) {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  }
  return {
    setPlaces(places) { fill(buffers[0], places) },
    setLooks(looks) { fill(buffers[1], looks) },
    draw({x, y, scale, stretch}, size, n) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.uniform2f(uniform("middle"), x, y);
      gl.uniform2f(uniform("scale"), 2 * scale * stretch / canvas.width, 2 * scale / canvas.height);
      gl.uniform1f(uniform("size"), size);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.drawArrays(gl.POINTS, 0, n);
    },
  };
}

function canvasPainter(canvas, shapes) { // slower: thousands of points take a while
  const context = canvas.getContext("2d"), atlases = new Map();
  let places = [], looks = [];
  function atlasOf(i) {
    const colour = `rgb(${looks.slice(i, i + 3).join()})`;
    if (!atlases.has(colour)) atlases.set(colour, drawAtlas(shapes, colour));
    return atlases.get(colour);
  }
  return {
    setPlaces(values) { places = values },
    setLooks(values) { looks = values },
    draw({x, y, scale, stretch}, size, n) {
      context.clearRect(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < n; i++) {
        const left = canvas.width / 2 + (places[2 * i] - x) * scale * stretch - size / 2;
        const top = canvas.height / 2 - (places[2 * i + 1] - y) * scale - size / 2;
        context.globalAlpha = looks[POINT_BYTES * i + 3] / 255;
        context.drawImage(atlasOf(POINT_BYTES * i), CELL * looks[POINT_BYTES * i + 4], 0, CELL, CELL, left, top, size, size);
      }
    },
  };
}
