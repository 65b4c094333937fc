"""Shader sources of the synthetic-photo renderer (GLSL 3.30)."""

from __future__ import annotations

# Camera frame: x right, y down, z forward. y is not flipped, so the first row read back is the picture's top.
VERTEX = """
#version 330
uniform float focal;          // 2 f / 224
uniform vec2 clip;
uniform mat4 light_matrix;
invariant gl_Position;        // the same depth in the pass before
in vec3 in_position; in vec3 in_normal; in vec3 in_rest; in vec3 in_nail; in vec2 in_crease;
in vec3 in_extra;
out vec3 position; out vec3 normal; out vec3 rest; out vec3 nail; out vec2 crease; out vec2 tint;
out vec3 shadow_at;
flat out float part;
void main() {
    position = in_position; normal = in_normal; rest = in_rest; nail = in_nail; crease = in_crease;
    tint = in_extra.xy; part = in_extra.z;
    shadow_at = (light_matrix * vec4(in_position, 1.0)).xyz;
    float a = (clip.y + clip.x) / (clip.y - clip.x), b = -2.0 * clip.x * clip.y / (clip.y - clip.x);
    gl_Position = vec4(focal * in_position.xy, a * in_position.z + b, in_position.z);
}
"""

FRAGMENT = """
#version 330
uniform vec3 light_directions[3]; uniform vec3 light_colours[3];
uniform int light_count; uniform vec3 sky; uniform vec3 ground; uniform float shadow_strength;
uniform float exposure;
uniform float skin; uniform vec3 base; uniform vec3 second; uniform vec3 nail_colour;
uniform float nail_polish;
uniform float red_amount; uniform float mottle; uniform float grain; uniform float bump;
uniform float crease_depth;
uniform float gloss; uniform float specular; uniform float wrap; uniform float pattern;
uniform float pattern_scale;
uniform vec3 noise_seed;
uniform sampler2DShadow shadow_map;
in vec3 position; in vec3 normal; in vec3 rest; in vec3 nail; in vec2 crease; in vec2 tint; in vec3 shadow_at;
flat in float part;
out vec4 colour;

float hash(vec3 p) {
    p = fract(p * vec3(0.1031, 0.1030, 0.0973));
    p += dot(p, p.yxz + 33.33);
    return fract((p.x + p.y) * p.z);
}
float noise(vec3 p) {
    vec3 i = floor(p), f = fract(p);
    f = f * f * (3.0 - 2.0 * f);
    return mix(mix(mix(hash(i), hash(i + vec3(1, 0, 0)), f.x),
                   mix(hash(i + vec3(0, 1, 0)), hash(i + vec3(1, 1, 0)), f.x), f.y),
               mix(mix(hash(i + vec3(0, 0, 1)), hash(i + vec3(1, 0, 1)), f.x),
                   mix(hash(i + vec3(0, 1, 1)), hash(i + vec3(1, 1, 1)), f.x), f.y), f.z);
}
float line(float t, float at, float width) {
    float d = (t - at) / (1.6 * width);
    d = max(1.0 - d * d, 0.0);
    return d * d;
}

void main() {
    vec3 view = normalize(-position);
    vec3 n = normalize(normal);
    if (!gl_FrontFacing) n = -n;
    vec3 at = rest + noise_seed;
    float coarse = noise(at * 70.0), middle = noise(at * 230.0), fine = noise(at * 800.0);
    vec3 albedo = base;
    float shine = specular, power = gloss, height = 0.0, red_wrap = 0.0;
    if (skin > 0.5) {
        albedo = mix(base, second, smoothstep(0.25, 0.75, tint.y + 0.25 * (coarse - 0.5)));
        float red = red_amount * tint.x + mottle * (coarse - 0.5) * 2.0;
        albedo *= vec3(1.0 + 0.10 * red, 1.0 - 0.22 * red, 1.0 - 0.20 * red);
        albedo *= 1.0 + mottle * (middle - 0.5) + grain * (fine - 0.5) * 2.0;
        float t = crease.x + 0.0016 * (middle - 0.5);
        float folds = line(t, 0.0, 0.0007) + 0.7 * line(t, 0.0019, 0.0006) + 0.7 * line(t, -0.0019, 0.0006)
                    + 0.4 * line(t, 0.0042, 0.0008);
        folds *= crease.y;
        albedo *= 1.0 - crease_depth * folds * vec3(0.55, 0.75, 0.8);
        height = bump * (0.00022 * fine + 0.00055 * middle) - 0.0002 * folds * bump;
        // nail: a rounded box on the back of the last phalanx
        float across = nail.x / 0.72, along = (nail.y - 0.62) / 0.36;
        float shape = across * across * abs(across) + along * along * (along > 0.0 ? along * along : -along);
        float on = (1.0 - smoothstep(0.80, 1.0, shape)) * smoothstep(0.05, 0.25, nail.z);
        float rim = smoothstep(0.62, 0.85, shape) * (1.0 - smoothstep(0.95, 1.25, shape))
            * smoothstep(0.05, 0.25, nail.z);
        albedo *= 1.0 - 0.25 * rim;
        vec3 nail_tone = nail_colour;
        if (nail_polish < 0.5) {
            // free edge
            nail_tone = mix(nail_tone, nail_tone * 1.25 + 0.05, smoothstep(0.62, 0.72, along));
            // lunula
            nail_tone = mix(nail_tone, nail_tone * 1.15 + 0.03, 1.0 - smoothstep(-0.75, -0.6, along));
        }
        albedo = mix(albedo, nail_tone, on);
        shine = mix(shine, 0.5, on); power = mix(power, 70.0, on); height *= 1.0 - on;
        red_wrap = 1.0 - on;
    } else {
        float select = 0.0;
        vec3 q = rest * pattern_scale;
        if (pattern > 5.5) select = step(0.5, fract(2.0 * q.y)) * step(0.2, fract(2.0 * q.x + 2.0 * q.z)); // knitted
        else if (pattern > 4.5)                    // coated: palm and fingertips, with an uneven rim
            select = smoothstep(0.48, 0.56, max(tint.y + 0.12 * (middle - 0.5), 1.15 * tint.x));
        else if (pattern > 3.5) select = smoothstep(0.45, 0.55, noise(at * pattern_scale * 1.5));
        else if (pattern > 2.5) select = mod(floor(q.x) + floor(q.y) + floor(q.z), 2.0);
        else if (pattern > 1.5) select = step(0.5, fract(q.y));
        else if (pattern > 0.5) select = step(0.6, fract(q.x + q.y));
        albedo = mix(base, second, select);
        albedo *= 1.0 + mottle * (coarse - 0.5) + grain * (fine - 0.5) * 2.0;
        height = bump * (0.0004 * fine + 0.0012 * middle);
    }
    // bump mapping without tangents (Mikkelsen 2010)
    vec3 dx = dFdx(position), dy = dFdy(position);
    vec3 r1 = cross(dy, n), r2 = cross(n, dx);
    float det = dot(dx, r1);
    vec3 gradient = sign(det) * (dFdx(height) * r1 + dFdy(height) * r2);
    vec3 bumped = abs(det) * n - gradient;
    if (dot(bumped, bumped) > 1e-20) n = normalize(bumped);

    float lit = 1.0;
    if (shadow_strength > 0.0) {
        vec3 s = shadow_at * 0.5 + 0.5;
        float inside = step(max(abs(shadow_at.x), abs(shadow_at.y)), 0.99) * step(abs(shadow_at.z), 0.99);
        float bias = 0.006 + 0.006 * (1.0 - abs(dot(n, light_directions[0])));
        float sum = 0.0;
        sum += texture(shadow_map, vec3(s.xy - 0.003, s.z - bias));      // each averages 2 x 2
        sum += texture(shadow_map, vec3(s.xy + 0.003, s.z - bias));
        lit = 1.0 - shadow_strength * inside * (1.0 - 0.5 * sum);
    }
    vec3 total = albedo * mix(ground, sky, 0.5 - 0.5 * n.y) * (0.75 + 0.25 * dot(n, view));
    vec3 soft = wrap * mix(vec3(1.0), vec3(1.4, 0.8, 0.7), red_wrap);
    for (int i = 0; i < light_count; i++) {
        vec3 l = light_directions[i];
        vec3 diffuse = clamp((vec3(dot(n, l)) + soft) / (1.0 + soft), 0.0, 1.0);
        vec3 h = normalize(l + view);
        float away = 1.0 - max(dot(view, h), 0.0);
        away *= away;
        float fresnel = 0.3 + 0.7 * away * away;
        float peak = max(dot(n, h), 0.0);
        peak = peak / (power - power * peak + peak);      // Schlick's stand-in for pow(peak, power)
        peak *= peak;
        float highlight = shine * fresnel * peak * step(0.0, dot(n, l)) * sqrt(power) * 0.25;
        total += (albedo * diffuse + highlight) * light_colours[i] * (i == 0 ? lit : 1.0);
    }
    total *= exposure;
    total = total / (1.0 + 0.25 * total * total);      // gentle shoulder
    colour = vec4(sqrt(clamp(total, 0.0, 1.0)), part / 255.0);     // sRGB, nearly
}
"""

SHADOW_VERTEX = """
#version 330
uniform mat4 light_matrix;
in vec3 in_position;
void main() { gl_Position = light_matrix * vec4(in_position, 1.0); }
"""

SHADOW_FRAGMENT = """
#version 330
void main() {}
"""

DEPTH_VERTEX = """
#version 330
uniform float focal;
uniform vec2 clip;
invariant gl_Position;
in vec3 in_position;
void main() {
    float a = (clip.y + clip.x) / (clip.y - clip.x), b = -2.0 * clip.x * clip.y / (clip.y - clip.x);
    gl_Position = vec4(focal * in_position.xy, a * in_position.z + b, in_position.z);
}
"""
