// Texts of the view "runs": keys begin with "runs."; both languages have the same keys.
export default {
  en: {
    "runs.search": "Search runs", "runs.compare": "Compare two", "runs.train": "Train on a folder", "runs.nothing": "no samples yet",
    "runs.choose": "Choose {name} for a comparison", "runs.delete": "Delete {name}", "runs.deleted": "{name} is in the bin.", "runs.images": "{n} images shown",
    "runs.compare.help": "Tick the boxes of two runs", "runs.bin": "Bin ({n})", "runs.bin.help": "Deleted runs stay here, in .studio/bin of the folder, until you delete them there.", "runs.restore": "Bring back", "runs.restored": "{name} is back.", "runs.restore.name": "Bring back {name}",
    "runs.digits": "Try it: digits in a minute", "runs.learn": "How GANs work",
    "runs.none": "No run has these words.", "runs.empty": "No GAN has been trained here yet.",
    "runs.where": "Runs that are trained on the command line into this folder appear here, too.",
    "runs.zoo": "Ready-made generators:", "runs.zoo.help": "Put a copy of {name} beside your runs, and sample it", "runs.zoo.mnist": "Digits", "runs.zoo.fashion": "Clothes", "runs.zoo.cartoon-faces": "Cartoon faces", "runs.zoo.emoji": "Emoji",
  },
  zh: {
    "runs.search": "搜索运行", "runs.compare": "对比两个", "runs.train": "用文件夹训练", "runs.nothing": "还没有样本",
    "runs.choose": "选择 {name} 进行对比", "runs.delete": "删除 {name}", "runs.deleted": "{name} 已移入回收站。", "runs.images": "已看过 {n} 张图像",
    "runs.compare.help": "请勾选两个运行", "runs.bin": "回收站（{n}）", "runs.bin.help": "已删除的运行保存在此文件夹的 .studio/bin 中，直到您在那里删除。", "runs.restore": "恢复", "runs.restored": "{name} 已恢复。", "runs.restore.name": "恢复 {name}",
    "runs.digits": "先试一试：一分钟生成数字", "runs.learn": "GAN 的原理",
    "runs.none": "没有匹配的运行。", "runs.empty": "这里还没有训练过 GAN。",
    "runs.where": "用命令行在此文件夹中训练的运行也会显示在这里。",
    "runs.zoo": "现成的生成器：", "runs.zoo.help": "把 {name} 复制到您的运行旁，并用它采样", "runs.zoo.mnist": "数字", "runs.zoo.fashion": "服饰", "runs.zoo.cartoon-faces": "卡通头像", "runs.zoo.emoji": "表情符号",
  },
};
