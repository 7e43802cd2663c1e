"""What the pages say of what goes wrong by data: range of pixels, labels, number of images."""

from collections.abc import Mapping

from ganvas.whatif.texts import Story, Text

__all__ = ["DATA_STORIES"]

DATA_STORIES: Mapping[str, Story] = {
    "wrong-range": Story(
        title=Text(
            "What if real pixels are 0 to 255, and the generator ends in tanh?",
            "如果真实像素是 0 到 255，而生成器以 tanh 结尾，会怎样？",
        ),
        lines=(Text.of("real = pixels"), Text.of("real = pixels / 127.5 - 1")),
        changed=Text(
            "One line. The generator ends in tanh, so its pixels lie between -1 and 1. On the "
            "broken side the real images keep the values of their files, 0 to 255; on the mended "
            "side they are brought to the range of tanh first. In Ganvas no setting does this: all "
            "data is read into -1 to 1.",
            "只改了一行。生成器以 tanh 结尾，像素值在 -1 到 1 之间。出问题的一侧，真实图像保持文"
            "件中的值 0 到 "
            "255；修好的一侧先把它们换算到 tanh 的范围。Ganvas 没有这样的设置：所有数据都读成 "
            "-1 到 1。",
        ),
        see=Text(
            "All samples look alike and are much too bright: nearly every pixel that can be bright "
            "is bright. They hardly differ from each other.",
            "所有样本看起来都一样，而且过亮：几乎每个像素都尽量亮。样本之间几乎没有差别。",
        ),
        why=Text(
            "The discriminator needs no shapes to separate the two: any pixel above 1 is from a "
            "real image. So all that the generator learns from it is to be brighter. It drives "
            "tanh to its end, where the slope of tanh is almost 0, and there it stays.",
            "判别器不需要看形状就能区分：任何大于 1 的像素都来自真实图像。于是生成器从它那里只学"
            "到“要更亮”。"
            "它把 tanh 推到尽头，那里的斜率几乎为 0，于是就停在那里。",
        ),
        notice=Text(
            "Print the smallest and largest pixel of a batch and of the samples before you train: "
            "they must be of one range. In the log the discriminator separates everything "
            "(separation near 100%) from the first report on, and the brightness of samples is "
            "far from that of real images.",
            "训练之前，打印一个批次和样本的最小、最大像素值：它们必须在同一范围内。日志中，判别"
            "器从第一次报告起就能"
            "区分一切（区分度接近 100%），样本的亮度与真实图像相差很远。",
        ),
    ),
    "missing-class": Story(
        title=Text(
            "What if the random labels leave out the last class?",
            "如果随机标签漏掉最后一个类别，会怎样？",
        ),
        lines=(
            Text.of("label = randint(0, classes - 1)"),
            Text.of("label = randint(0, classes)"),
        ),
        changed=Text(
            "One number. A conditional GAN generates from noise and a label; while it trains, the "
            "labels of its fakes are drawn at random. In NumPy and PyTorch the upper end of "
            "`randint` is not included, so `randint(0, 9)` never gives 9. A known tutorial has "
            "this line. The real images still have all classes.",
            "只改了一个数。条件 GAN 由噪声和标签生成图像；训练时，生成图像的标签是随机抽取的。"
            "在 NumPy 和 PyTorch "
            "中，`randint` 的上限不包含在内，所以 `randint(0, 9)` 永远不会给出 9。某个著名教程就"
            "有这一行。真实图像仍然"
            "包含所有类别。",
        ),
        see=Text(
            "All classes become clear but the last one. Its row is noise, or a mixture of others.",
            "除最后一类外，所有类别都变得清晰。最后一行是噪声，或是其他类别的混合。",
        ),
        why=Text(
            "The weights that belong to the last label get no gradient: the generator was never "
            "asked for it. They stay as they were drawn at random. What its row shows comes from "
            "the weights that all classes share.",
            "属于最后一个标签的权重得不到梯度：从来没有人要求生成器生成它。这些权重仍是最初随机"
            "抽取的值。那一行所显示"
            "的，只来自所有类别共用的权重。",
        ),
        notice=Text(
            "Look at a grid with one class a row, as Ganvas draws it, not at samples of random "
            "classes: there one bad image in ten looks like chance. The doctor says `partial "
            "collapse (class 9 missing)`; `ganvas evaluate RUN --metrics agreement` gives the "
            "share of each class.",
            "看每行一个类别的网格（Ganvas 就是这样画的），不要只看随机类别的样本：那里十张中有一"
            "张不好，像是偶然。医生会"
            "报告部分坍塌（`partial collapse (class 9 missing)`）；`ganvas evaluate RUN "
            "--metrics agreement` 给出每个"
            "类别的比例。",
        ),
    ),
    "too-few-images": Story(
        title=Text(
            "What if there are only 20 images to learn from?",
            "如果只有 20 张图像可学，会怎样？",
        ),
        lines=(
            Text("20 training images", "20 张训练图像"),
            Text("all training images", "全部训练图像"),
        ),
        changed=Text(
            "The number of training images, by the setting `held_out`: `--set held_out=1777` "
            "leaves 20 of the 1,797 digits, while the mended side has 1,297. Network, rates, and "
            "the number of images shown are equal, so the few are shown thousands of times.",
            "改了训练图像的数量，用设置 `held_out`：`--set held_out=1777` 在 1,797 张数字中只留"
            "下 20 张，修好的一侧有 1,297 张。网络、学习率和展示"
            "的图像数都相同，因此这几张图像被展示了几千次。",
        ),
        see=Text(
            "The samples can look good, better even than those of the mended side. But there are "
            "only a few different ones, each nearly a training image, and classes are missing.",
            "样本可能看起来不错，甚至比修好的一侧更好。但不同的样本只有几种，每一种都近似某张训练"
            "图像，而且缺少一些类别。",
        ),
        why=Text(
            "The discriminator sees each image so often that it knows it by heart: whatever is not "
            "one of the 20 is a fake. So the best that the generator can do is to copy them. "
            "Nothing in the game rewards a new digit.",
            "判别器把每张图像看了太多遍，已经背了下来：凡不是这 20 张之一，就是假的。于是生成器"
            "最好的办法就是抄。在这个游戏里，"
            "新的数字得不到任何奖励。",
        ),
        notice=Text(
            "Never judge by looks alone: compare samples with their nearest training images. "
            "`ganvas evaluate RUN --metrics memorisation` does so, and draws them side by side. "
            "While it trains, the score drop grows: real images that are new score lower than "
            "those of the training set, and the doctor says `discriminator memorises`. More "
            "images help most, then `--set options.augmentation=adaptive` and stopping earlier.",
            "不要只凭外观判断：把样本与最近的训练图像比较。`ganvas evaluate RUN --metrics "
            "memorisation` 就是这样做的，并把"
            "它们并排画出。训练中“得分下降”会变大：新的真实图像比训练集中的得分低，医生会报告判别"
            "器死记硬背"
            "（`discriminator memorises`）。最有用的是更多图像，其次是 `--set "
            "options.augmentation=adaptive` 和提早停止。",
        ),
    ),
}
