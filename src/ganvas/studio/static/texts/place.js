// Texts of the view "place": keys begin with "place."; both languages have the same keys.
export default {
  en: {
    "place.unfit": "This GAN does not draw captions.",
    "place.caption": "Caption", "place.placeholder": "What to draw. Trained on the captions of {data}.",
    "place.first": "Write a caption: the picture appears here and follows what you change.", "place.box": "Where it should be", "place.parts": "Where its parts should be",
    "place.boxHelp": "Drag the box or its handles. Keys: arrows move it, Shift + arrows stretch it, Delete resets it.",
    "place.partsHelp": "Drag a part onto the square, or click it. Keys: arrows move a point, Delete takes it away. The GAN places the other parts itself.",
    "place.boxLabel": "Box: left {left}, top {top}, width {width}, height {height}", "place.pointLabel": "{part}: {x} from the left, {y} from the top", "place.board": "Square of the picture",
    "place.reset": "Reset", "place.removeAll": "Remove all", "place.addPart": "Place {part}", "place.findPart": "Go to {part}", "place.dice": "Another seed", "place.four": "Four at once",
    "place.marksBox": "Show the box over the picture", "place.marksParts": "Show the points over the picture", "place.save": "Save as PNG", "place.alt": "Generated from: {caption}",
    "place.noBytes": "Too long: only the first {n} bytes are read (a letter is one byte, a Chinese character three).", "place.badSeed": "A seed is a whole number from 0 on.", "place.stopped": "Cancelled.",
  },
  zh: {
    "place.unfit": "此 GAN 不能根据文字说明生成图像。",
    "place.caption": "文字说明", "place.placeholder": "要画什么？训练时使用的是 {data} 中的文字说明。",
    "place.first": "请输入文字说明：图像会显示在这里，并随您的修改更新。", "place.box": "放在哪里", "place.parts": "各部位放在哪里",
    "place.boxHelp": "拖动方框或其控制点。按键：方向键移动，Shift + 方向键拉伸，Delete 重置。",
    "place.partsHelp": "将部位拖到方格中，或点击它。按键：方向键移动该点，Delete 移除。其余部位由 GAN 自行放置。",
    "place.boxLabel": "方框：左 {left}，上 {top}，宽 {width}，高 {height}", "place.pointLabel": "{part}：距左 {x}，距上 {y}", "place.board": "图像方格",
    "place.reset": "重置", "place.removeAll": "全部移除", "place.addPart": "放置{part}", "place.findPart": "定位到{part}", "place.dice": "换一个随机种子", "place.four": "一次四张",
    "place.marksBox": "在图像上显示方框", "place.marksParts": "在图像上显示各点", "place.save": "保存为 PNG", "place.alt": "根据文字说明生成：{caption}",
    "place.noBytes": "文字说明过长：只读取前 {n} 个字节（一个字母为 1 字节，一个汉字为 3 字节）。", "place.badSeed": "随机种子应为不小于 0 的整数。", "place.stopped": "已取消。",
  },
};
