"""Commands that are refused, and what their message says."""

WRONG = {
    "unknown recipe": (("train", "digts"), "unknown recipe 'digts'; did you mean digits"),
    "unknown key": (("train", "--set", "bacth=3"), "unknown key 'bacth'; did you mean batch?"),
    "unknown option": (
        ("train", "--set", "options.widht=3"),
        "unknown key 'options.widht'; did you mean options.width",
    ),
    "no value": (("train", "--set", "batch"), "--set batch has no value"),
    "not a number": (
        ("train", "--set", "batch=many"),
        "batch='many': input should be a valid integer",
    ),
    "half an image": (("train", "--images", "0.9"), "--images 0.9: a whole number is needed"),
    "half a sample": (("sample", "{run}", "--count", "1.5"), "--count 1.5: a whole number"),
    "no finite time": (("train", "--minutes", "nan"), "--minutes nan: a number is needed"),
    "a setting twice": (("train", "--set", "batch=5", "--set", "batch=6"), "batch= is given twice"),
    "a huge number": (("train", "--set", f"batch={10**30}"), "less than or equal to"),
    "true for a number": (("train", "--set", "batch=true"), "batch=True: a number is needed"),
    "an infinite loss": (
        ("train", "--set", "stop_below.generator=NaN"),
        "stop_below.generator=nan: input should be a finite number",
    ),
    "an unknown home": (("data", "~nobody-here/x"), "~nobody-here is no home folder"),
    "unknown flag": (("train", "--bacth", "3"), "--bacth"),
    "unknown verb": (("trian",), "trian"),
    "missing folder": (("train", "dcgan-64", "--data", "{tmp}/none"), "{tmp}/none"),
    "empty folder": (
        ("train", "dcgan-64", "--data", "{tmp}/empty"),
        "{tmp}/empty holds no images",
    ),
    "no data": (("train", "dcgan-64"), "give a folder or zip with --data"),
    "labels absent": (
        ("train", "mnist-cdcgan", "--data", "{tmp}/pictures", "--size", "16"),
        "needs classes",
    ),
    "labels missing": (
        (
            "train",
            "mnist-cdcgan",
            "--data",
            "{tmp}/pictures",
            "--size",
            "16",
            "--labels",
            "folders",
        ),
        "has no sub-folders with images to be classes",
    ),
    "size too large": (
        ("train", "dcgan-64", "--data", "{tmp}/pictures", "--size", "256"),
        "the largest size that would work is 160",
    ),
    "size a GAN cannot make": (("train", "digits", "--size", "7"), "size 7 cannot be made"),
    "odd size": (("train", "digits", "--size", "50"), "the nearest sizes that can: 48 and 56"),
    "fit": (("train", "digits", "--fit", "squash"), "fit='squash'"),
    "channels": (("train", "digits", "--channels", "2"), "channels=2"),
    "frames": (("data", "{tmp}/pictures", "--frames", "every"), "frames='every'"),
    "frames of numbers": (("data", "digits", "--frames", "all"), "--frames all is for folders"),
    "overlap without tiles": (("data", "{tmp}/pictures", "--overlap", "0.5"), "fit=tiles"),
    "background": (("data", "{tmp}/pictures", "--background", "whiteish"), "whiteish"),
    "negative images": (("train", "--images", "-5"), "images=-5"),
    "both lengths": (("train", "--images", "5", "--epochs", "1"), "images and epochs both"),
    "negative epochs": (("train", "--epochs", "-1"), "--epochs -1"),
    "device": (("train", "--device", "tpu"), "tpu"),
    "other settings": (
        ("train", "digits", "--out", "{run}", "--set", "batch=100", "--set", "options.width=8"),
        "batch is 50 there and 100 here",
    ),
    "a folder that is no run": (
        ("train", "digits", "--out", "{tmp}/pictures"),
        "is not a run folder",
    ),
    "a file": (("train", "digits", "--out", "{tmp}/file"), "is a file"),
    "damaged checkpoint": (("sample", "{spoiled}"), "gan.safetensors is damaged"),
    "damaged checkpoint, resumed": (
        ("train", "--out", "{spoiled}", "--images", "400"),
        "gan.safetensors is damaged",
    ),
    "no run": (("sample", "{tmp}/none"), "there is no run folder {tmp}/none"),
    "nothing to load": (("sample", "{tmp}/pictures"), "it is not a run folder"),
    "no such class": (
        ("sample", "{run}", "--label", "12"),
        "there is no class '12' among 10; the classes are 0, 1, 2",
    ),
    "negative class": (("sample", "{run}", "--label", "-1"), "-1"),
    "negative count": (("sample", "{run}", "--count", "-3"), "--count -3"),
    "no columns": (("sample", "{run}", "--columns", "0"), "--columns 0"),
    "walk of another kind": (
        ("sample", "{run}", "--interpolate", "{tmp}/walk.png"),
        "should end in one of .gif, .webp",
    ),
    "grid of another kind": (
        ("sample", "{run}", "--grid", "{tmp}/grid.tiff"),
        "should end in one of",
    ),
    "labels of a set that has its own": (
        ("train", "digits", "--labels", "folders"),
        "digits carries its own labels",
    ),
    "unknown colour": (("train", "digits", "--background", "blu"), "blu"),
    "unknown data": (("data", "mnits"), "mnist"),
    "nothing to judge": (("evaluate",), "name a run folder, or two sets of images"),
    "nothing to compare with": (("evaluate", "digits"), "ganvas evaluate digits REFERENCE"),
    "no run to judge": (("evaluate", "{tmp}/none"), "there is no run folder {tmp}/none"),
    "no set to judge": (
        ("evaluate", "{tmp}/none", "digits"),
        "no file or folder is called '{tmp}/none'",
    ),
    "run without checkpoints": (("evaluate", "{begun}"), "has no checkpoints"),
    "damaged run": (("evaluate", "{spoiled}"), "gan.safetensors is damaged"),
    "data moved": (
        ("evaluate", "{run}", "--data", "{tmp}/none"),
        "no file or folder is called '{tmp}/none'",
    ),
    "other sizes": (
        ("evaluate", "{tmp}/pictures", "digits"),
        "pictures holds 20x20 rgb and digits 8x8 grey; bring both to one",
    ),
    "empty folder, judged": (("evaluate", "{tmp}/empty", "digits"), "{tmp}/empty"),
    "too few for neighbours": (
        ("evaluate", "{run}", "--count", "3", "--metrics", "precision"),
        "needs at least 4",
    ),
    "one sample": (("evaluate", "{run}", "--count", "1"), "--count 1: evaluate at least 2"),
    "unknown metric": (
        ("evaluate", "{run}", "--metrics", "fd,recal"),
        "--metrics recal: unknown metric; did you mean recall",
    ),
    "unknown features": (
        ("evaluate", "{run}", "--features", "inceptoin"),
        "did you mean inception or",
    ),
    "published name": (
        ("evaluate", "{run}", "--metrics", "fid"),
        "--metrics fid: that name is for Inception features",
    ),
    "labels wanted": (
        ("evaluate", "noise", "digits", "--metrics", "agreement"),
        "noise was made without the labels of digits",
    ),
    "features of points": (
        ("evaluate", "noise", "rings", "--features", "inception"),
        "rings holds points",
    ),
    "no weights": (
        ("evaluate", "{run}", "--weights", "{tmp}/none.pth"),
        "--weights {tmp}/none.pth: there is no such file",
    ),
    "weights of nothing": (
        ("evaluate", "{run}", "--features", "random", "--weights", "{tmp}/file"),
        "random features take no file of weights",
    ),
    "weights of another network": (
        ("evaluate", "{run}", "--weights", "{weights}"),
        "holds the weights of another network",
    ),
    "weights of another network, classifier": (
        ("evaluate", "{run}", "--features", "classifier", "--weights", "{weights}"),
        "holds the weights of another network",
    ),
    "larger than the GAN makes": (
        ("evaluate", "{run}", "--size", "16"),
        "makes 8x8 grey; choose 8 or less",
    ),
    "other channels than the GAN makes": (
        ("evaluate", "{run}", "--channels", "3"),
        "makes 8x8 grey",
    ),
    "points for a recipe of images": (
        ("train", "digits", "--data", "rings"),
        "not images: size=8, channels=1 does not apply",
    ),
    "points for a GAN of images": (
        ("train", "rings", "--set", "gan=mlp"),
        "MLP makes images, not points",
    ),
    "images for a recipe of points": (
        ("train", "rings", "--data", "digits"),
        "channels=2 with size=1 is only for points",
    ),
    "images for a GAN of points": (
        ("train", "mnist-mlp", "--data", "digits", "--size", "8", "--set", "gan=points"),
        "PointGAN makes points, not images: use --data rings",
    ),
    "size of points": (
        ("data", "grid", "--size", "28"),
        "grid holds points in the plane, not images: size=28 does not apply",
    ),
    "no packing": (("train", "rings", "--set", "options.packing=0"), "options.packing=0"),
    "grey stacks": (("train", "stacked-mnist", "--channels", "1"), "channels=1 is not possible"),
    "pairs wanted": (
        ("train", "pix2pix", "--data", "{tmp}/pictures", "--size", "16"),
        "needs images of two domains",
    ),
    "single images as pairs": (
        ("train", "pix2pix", "--data", "pairs:{tmp}/pictures", "--size", "16"),
        "is one image, not",
    ),
    "unpaired for pix2pix": (
        ("train", "pix2pix", "--data", "unpaired:{tmp}/two", "--size", "16"),
        "pix2pix needs pairs of images",
    ),
    "one domain empty": (
        ("train", "cyclegan", "--data", "unpaired:{tmp}/pictures", "--size", "16"),
        "trainA",
    ),
    "no such pairs": (("data", "pairs:{tmp}/none"), "no file or folder '{tmp}/none'"),
    "no table": (
        ("train", "stargan", "--data", "attributes:{tmp}/pictures", "--size", "16"),
        "{tmp}/pictures has no table of attributes",
    ),
    "no captions": (("train", "gawwn-box", "--data", "captions:{tmp}/pictures"), "{tmp}/pictures"),
    "exclusive of nothing": (
        (
            "train",
            "stargan",
            "--data",
            "attributes:{tmp}/faces",
            "--size",
            "16",
            "--set",
            'options.exclusive=[["Bold", "Old"]]',
        ),
        "options.exclusive: the data has no attribute 'Bold'; did you mean Bald",
    ),
    "attribute not in the list": (
        (
            "train",
            "stargan",
            "--data",
            "attributes:{tmp}/faces",
            "--size",
            "16",
            "--set",
            'attributes=["Bold"]',
        ),
        "Bold",
    ),
    "no translator": (
        ("translate", "{run}", "{tmp}/pictures"),
        "does not translate images: use ganvas sample",
    ),
    "caption for digits": (("sample", "{run}", "--caption", "a five"), "--caption"),
    "box outside": (
        ("restore", "{run}", "{tmp}/pictures/0.png", "--box", "15,15,10,10"),
        "15,15,10,10",
    ),
    "mask of another size": (
        ("restore", "{run}", "{tmp}/pictures/0.png", "--mask", "{tmp}/mask.png"),
        "8x8",
    ),
    "mask and box": (
        (
            "restore",
            "{run}",
            "{tmp}/pictures/0.png",
            "--mask",
            "{tmp}/mask.png",
            "--box",
            "1,1,2,2",
        ),
        "--mask and --box",
    ),
    "theory of no target": (
        ("theory", "--target", "gausian"),
        "unknown target 'gausian'; did you mean gaussian?",
    ),
    "theory of no loss": (
        ("theory", "--loss", "wassertein"),
        "unknown loss 'wassertein'; did you mean wasserstein?",
    ),
    "theory without steps": (("theory", "--steps", "0"), "--steps 0"),
    "theory without moves": (("theory", "--d-steps", "0"), "--d-steps 0"),
    "theory paid for steepness": (("theory", "--penalty", "-1"), "--penalty -1"),
    "theory into a file": (("theory", "--out", "{tmp}/file"), "{tmp}/file"),
}
