// What the page knows of each metric: where it stands, which way is better, and between what its bar lies.

import { language, number, percent, t } from "../../texts.js";

const LOWER = "lower", HIGHER = "higher", ONE = "one", NEITHER = "";
// What is best, or by chance, for perfect samples (docs/metrics.md).
const BEST_COVERAGE = 0.97, BEST_QUALITY = 0.989, COPIES_BY_CHANCE = 0.01;
const MANY_COPIES = 0.05; // five times as many as by chance
const ENOUGH_UNSEEN = 100; // real images that were not trained on
const GOOD = 0.8, FAIR = 0.5; // shares of the way to what real images have

/** Metrics in the order of the table: group, better way, and whether it is a share. */
export const METRICS = {
  fid: { group: "distance", better: LOWER }, fd_lite0: { group: "distance", better: LOWER }, fd: { group: "distance", better: LOWER },
  kid: { group: "distance", better: LOWER }, kd_lite0: { group: "distance", better: LOWER }, kd: { group: "distance", better: LOWER },
  inception_score: { group: "distance", better: HIGHER }, classifier_score: { group: "distance", better: HIGHER },
  precision: { group: "quality", better: HIGHER, share: true }, density: { group: "quality", better: ONE }, high_quality: { group: "quality", better: HIGHER, share: true },
  recall: { group: "variety", better: HIGHER, share: true }, coverage: { group: "variety", better: HIGHER, share: true },
  modes: { group: "variety", better: HIGHER }, kl: { group: "variety", better: LOWER },
  memorisation: { group: "copies", better: ONE }, copies: { group: "copies", better: LOWER, share: true },
  agreement: { group: "request", better: HIGHER, share: true }, class_fid: { group: "request", better: LOWER }, class_fd_lite0: { group: "request", better: LOWER }, class_fd: { group: "request", better: LOWER },
  attributes: { group: "request", better: HIGHER, share: true }, real_attributes: { group: "request", better: NEITHER, share: true },
  iou: { group: "request", better: HIGHER }, inside: { group: "request", better: HIGHER, share: true }, real_iou: { group: "request", better: NEITHER },
  l1: { group: "truth", better: LOWER }, psnr: { group: "truth", better: HIGHER }, ssim: { group: "truth", better: HIGHER },
  given_l1: { group: "truth", better: NEITHER }, given_psnr: { group: "truth", better: NEITHER }, given_ssim: { group: "truth", better: NEITHER },
  hole_l1: { group: "truth", better: LOWER }, hole_psnr: { group: "truth", better: HIGHER }, blur_l1: { group: "truth", better: NEITHER }, blur_psnr: { group: "truth", better: NEITHER },
  cycle_a: { group: "truth", better: LOWER }, cycle_b: { group: "truth", better: LOWER },
  tstr: { group: "use", better: HIGHER, share: true }, trtr: { group: "use", better: NEITHER, share: true },
  augmented: { group: "use", better: HIGHER, share: true },
};
export const GROUPS = ["distance", "quality", "variety", "copies", "request", "truth", "use", "other"];

const ONE_DIGIT = () => new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const FOUR_DIGITS = () => new Intl.NumberFormat(language, { minimumSignificantDigits: 4, maximumSignificantDigits: 4 });

/** A value as a table shows it. */
export function formatValue(name, value) {
  if (value === null || value === undefined) return "–";
  if (METRICS[name]?.share) return ONE_DIGIT().format(value);
  return Number.isInteger(value) ? number(value) : FOUR_DIGITS().format(value);
}

/** An end of a bar. */
export const formatEnd = (name, value) => (METRICS[name]?.share ? percent(value) : number(value));

/** A value of one class: of "modes" it is a share. */
export const formatClass = (name, value) => (isClassShare(name) && typeof value === "number" ? ONE_DIGIT().format(value) : formatValue(name, value));
export const isClassShare = (name) => name === "modes" || METRICS[name]?.share;

/** How many classes the classifier of an evaluation knows; 0: not known. */
function countClasses({ protocol, by_class: byClass }) {
  const classifier = protocol.classifier ?? protocol.features;
  if (classifier.extractor === "stacked classifier") return classifier.classes.length ** 3;
  return classifier.classes?.length ?? Object.keys(byClass.modes ?? {}).length;
}

/**
 * The bar of a metric: {low, high, marks: [{at, text}], bad: whether a value is, may be missing}; null where there are no natural ends.
 * `highest` is the largest of the values that the bar must show.
 */
export function findBar(name, evaluation, highest) {
  const { values, protocol } = evaluation;
  const classes = countClasses(evaluation);
  const mark = (at, key) => (typeof at === "number" ? [{ at, text: t(`judge.mark.${key}`, { value: formatValue(name, at) }) }] : []);
  const chance = classes > 1 ? mark(1 / classes, "chance") : [];
  const accuracy = (protocol.classifier ?? protocol.features).accuracy;
  const share = (...marks) => ({ low: 0, high: 1, marks: marks.flat() });
  const over = (least, ...marks) => ({ low: 0, high: Math.max(least, highest * 1.05), marks: marks.flat() });
  switch (name) {
    case "precision": case "recall": case "inside": case "ssim": case "given_ssim": case "real_iou": case "trtr": case "real_attributes": return share();
    case "coverage": return share(mark(BEST_COVERAGE, "best"));
    case "high_quality": return share(mark(BEST_QUALITY, "best"));
    case "agreement": return share(chance, mark(accuracy, "real"));
    case "tstr": case "augmented": return share(chance, mark(values.trtr, "real"));
    case "attributes": return share(mark(0.5, "chance"), mark(values.real_attributes, "real"));
    case "iou": return share(mark(values.real_iou, "real"));
    case "density": return over(1.5, mark(1, "real"));
    case "memorisation": return over(2, mark(1, "unseen"));
    case "copies": return { ...share(mark(values.copies_chance ?? COPIES_BY_CHANCE, "chance")), bad: (value) => isSure(evaluation) && value > manyCopies(evaluation) };
    case "classifier_score": return classes > 1 ? { low: 1, high: classes, marks: [] } : null;
    case "modes": return classes > 1 ? { low: 0, high: classes, marks: [] } : null;
    case "kl": return classes > 1 ? { low: 0, high: Math.log(classes), marks: [] } : null;
    case "hole_l1": return typeof values.blur_l1 === "number" ? over(values.blur_l1 * 1.3, mark(values.blur_l1, "blur")) : null;
    case "hole_psnr": return typeof values.blur_psnr === "number" ? over(values.blur_psnr * 1.3, mark(values.blur_psnr, "blur")) : null;
    default: return null;
  }
}

/** Whether there are enough unseen real images to tell copies: by few, the distance of their nearest 1 % is a guess. */
const isSure = ({ protocol }) => (protocol.memorisation?.unseen ?? 0) >= ENOUGH_UNSEEN;

/** The share from which copies are many, and more than chance. */
const manyCopies = ({ protocol }) => Math.max(MANY_COPIES, protocol.memorisation?.copies_by_chance ?? 0);

/** What the values say in short: [{level: "good", "fair" or "poor", text}], of what was measured. */
export function findVerdict(evaluation) {
  const { values, protocol } = evaluation, lines = [];
  const classes = countClasses(evaluation), { accuracy } = protocol.classifier ?? protocol.features;
  const say = (key, level, texts) => lines.push({ level, text: t(`judge.verdict.${key}.${level}`, texts) });
  // How far a share is on the way from what chance gives to what real images have.
  const grade = (key, name, chance = 0, real = 1) => {
    const share = values[name], way = (share - chance) / Math.max(real - chance, 0.01);
    if (typeof share === "number") say(key, way >= GOOD ? "good" : way >= FAIR ? "fair" : "poor", { share: percent(share) });
  };
  grade("quality", "precision");
  grade("quality", "high_quality", 0, BEST_QUALITY);
  grade("variety", "coverage", 0, BEST_COVERAGE);
  grade("request", "agreement", classes > 1 ? 1 / classes : 0, accuracy ?? 1);
  grade("request", "attributes", 0.5, values.real_attributes ?? 1);
  if ("copies" in values && !isSure(evaluation)) say("copies", "fair", { unseen: protocol.memorisation?.unseen ?? 0 });
  else if (typeof values.copies === "number") say("copies", values.copies > manyCopies(evaluation) ? "poor" : "good", { share: percent(values.copies) });
  if (typeof values.iou === "number") say("place", values.iou >= GOOD * (values.real_iou ?? 1) ? "good" : "poor", {});
  if (typeof values.hole_l1 === "number" && typeof values.blur_l1 === "number") {
    say("holes", values.hole_l1 < values.blur_l1 ? "good" : "poor", { share: percent(1 - values.hole_l1 / values.blur_l1) });
  }
  return lines;
}

/** Which of two evaluations is better in a metric: 0 or 1; -1 if none is, by their errors too. */
export function findBetter(name, [a, b]) {
  const better = METRICS[name]?.better;
  if (!better || typeof a.values[name] !== "number" || typeof b.values[name] !== "number") return -1;
  const badness = (value) => (better === LOWER ? value : better === HIGHER ? -value : Math.abs(Math.log(Math.max(value, 1e-9))));
  const difference = badness(a.values[name]) - badness(b.values[name]);
  const error = Math.hypot(measureError(name, a), measureError(name, b));
  if (difference === 0 || Math.abs(difference) < 2 * error) return -1;
  return difference < 0 ? 0 : 1;
}

/** A value's standard error: as measured; of a share as of so many coin tosses; else 0: not known. */
function measureError(name, { values, protocol }) {
  const known = values[`${name}_error`];
  if (typeof known === "number") return known;
  return METRICS[name].share ? Math.sqrt(Math.max(values[name] * (1 - values[name]), 0) / protocol.count) : 0;
}

/** How a metric was measured, a sentence each. */
export function describeProtocol(name, { protocol }) {
  const { reference } = protocol;
  const points = reference.channels === 2;
  const lines = [
    t("judge.how.samples", { count: protocol.count, seed: String(protocol.seed) }),
    t(points ? "judge.how.points" : "judge.how.reference", { count: reference.count, name: reference.name, size: reference.size, split: t(`judge.split.${reference.split}`), fingerprint: reference.fingerprint.slice(0, 12) }),
  ];
  const isOfPixels = METRICS[name]?.group === "truth";
  const needsClasses = ["modes", "kl", "agreement"].includes(name);
  if (!isOfPixels && !(needsClasses && protocol.classifier)) lines.push(t("judge.how.features", { features: describeExtractor(protocol.features) }));
  if (needsClasses && protocol.classifier) lines.push(t("judge.how.classifier", { features: describeExtractor(protocol.classifier) }));
  if (["precision", "recall", "density", "coverage"].includes(name) && protocol.neighbours) {
    const neighbours = protocol.neighbours[["precision", "recall"].includes(name) ? "precision and recall" : "density and coverage"];
    lines.push(t("judge.how.neighbours", { neighbours, images: protocol.neighbours.images }));
  }
  if (["memorisation", "copies"].includes(name) && protocol.memorisation) lines.push(t("judge.how.memorisation", protocol.memorisation));
  if (["tstr", "trtr", "augmented"].includes(name) && protocol.synthetic_training) lines.push(t("judge.how.tstr", protocol.synthetic_training));
  if (name.endsWith("attributes") && protocol.attribute_classifier) lines.push(t("judge.how.attributes", protocol.attribute_classifier));
  return [...lines, t("judge.how.name", { name })];
}

const EXTRACTORS = new Set(["inception", "lite0", "classifier", "random", "pixels"]);
/** An extractor of features in words. */
export function describeExtractor(features) {
  const hash = features.sha256 ?? features.weights;
  const parts = [EXTRACTORS.has(features.extractor) ? t(`judge.features.${features.extractor}`) : features.extractor];
  if (features.trained_on) parts.push(t("judge.how.trained", { data: features.trained_on }));
  if (features.tested) parts.push(t("judge.how.accuracy", { accuracy: percent(features.accuracy), tested: features.tested }));
  if (typeof hash === "string") parts.push(t("judge.how.weights", { hash: hash.slice(0, 12) }));
  return parts.join(", ");
}

/** In what the ways of measuring differ, as words: features, reference, count; none if values compare. */
export function findDifferences([a, b]) {
  const found = [];
  if (!isSame(a.protocol.features, b.protocol.features)) found.push(t("judge.differs.features", { a: a.protocol.features.extractor, b: b.protocol.features.extractor }));
  if (!isSame(a.protocol.reference, b.protocol.reference)) {
    const describe = ({ reference }) => t("judge.differs.set", { name: reference.name, count: reference.count, size: reference.size });
    found.push(t("judge.differs.reference", { a: describe(a.protocol), b: describe(b.protocol) }));
  }
  if (a.protocol.count !== b.protocol.count) found.push(t("judge.differs.count", { a: a.protocol.count, b: b.protocol.count }));
  return found;
}

/** Whether two values of JSON are equal, whatever the order of their keys. */
function isSame(a, b) {
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
}
