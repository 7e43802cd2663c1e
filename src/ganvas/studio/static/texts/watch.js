// Texts of the view "watch": keys begin with "watch."; both languages have the same keys.
export default {
  en: {
    "watch.doctor": "Doctor", "watch.progress": "Progress of the training", "watch.shown": "{n} of {total} images shown", "watch.rate": "{rate} images a second",
    "watch.healthy": "No problems found.", "watch.early": "Too early to tell.", "watch.stop": "Stop and save", "watch.asked": "It stops after this step and saves everything.",
    "watch.resume": "Resume", "watch.begun": "The training begins.", "watch.use": "Use it", "watch.longer": "Train longer", "watch.length": "Images in all", "watch.length-help": "The length of the whole run, in images shown.",
    "watch.extend": "Go on", "watch.film": "Samples from the beginning to now", "watch.play": "Play the way there", "watch.pause": "Pause", "watch.no-grids": "The first samples will appear here.",
    "watch.after": "after {n} images", "watch.losses": "Losses", "watch.accuracy": "What D gets right", "watch.variety": "Samples against real images", "watch.score": "Quick score, lower is better",
    "watch.scale": "Change the scale: linear or logarithmic", "watch.discriminator": "discriminator", "watch.generator": "generator", "watch.real_accuracy": "real images", "watch.fake_accuracy": "fakes",
    "watch.diversity": "diversity", "watch.distance": "distance", "watch.palette": "palette", "watch.chosen": "What was chosen, and why", "watch.numbers": "In numbers", "watch.data": "Data",
    "watch.used": "Images used", "watch.left-out": "Files left out", "watch.commands": "On the command line",
  },
  zh: {
    "watch.doctor": "诊断", "watch.progress": "训练进度", "watch.shown": "已看过 {n} / {total} 张图像", "watch.rate": "每秒 {rate} 张图像",
    "watch.healthy": "没有发现问题。", "watch.early": "现在判断还太早。", "watch.stop": "停止并保存", "watch.asked": "这一步结束后会停止并保存全部内容。",
    "watch.resume": "继续训练", "watch.begun": "训练开始了。", "watch.use": "开始使用", "watch.longer": "延长训练", "watch.length": "图像总数", "watch.length-help": "整个训练的长度，以看过的图像数计。",
    "watch.extend": "继续", "watch.film": "从开始到现在的样本", "watch.play": "播放训练过程", "watch.pause": "暂停", "watch.no-grids": "第一批样本会显示在这里。",
    "watch.after": "{n} 张图像之后", "watch.losses": "损失", "watch.accuracy": "判别器的正确率", "watch.variety": "样本与真实图像的比较", "watch.score": "快速评分，越低越好",
    "watch.scale": "切换线性或对数坐标", "watch.discriminator": "判别器", "watch.generator": "生成器", "watch.real_accuracy": "真实图像", "watch.fake_accuracy": "生成图像",
    "watch.diversity": "多样性", "watch.distance": "距离", "watch.palette": "色彩", "watch.chosen": "自动选择了什么，为什么", "watch.numbers": "数据一览", "watch.data": "数据",
    "watch.used": "使用的图像", "watch.left-out": "未使用的文件", "watch.commands": "命令行用法",
  },
};
