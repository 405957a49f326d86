//! Words that names are made of, in Chinese and English. Places are real; what stands there is not.

/// A district of Chongqing.
#[derive(Debug, Clone, Copy)]
pub struct District {
    pub zh: &'static str,
    pub en: &'static str,
    /// Of GB/T 2260.
    pub code: &'static str,
    /// Degrees north and east in thousandths.
    pub at: (i32, i32),
}

const fn district(zh: &'static str, en: &'static str, code: &'static str, north: i32, east: i32) -> District {
    District { zh, en, code, at: (north, east) }
}

/// Where sites are.
pub const DISTRICTS: [District; 12] = [
    district("沙坪坝区", "Shapingba", "500106", 29_541, 106_457),
    district("九龙坡区", "Jiulongpo", "500107", 29_502, 106_511),
    district("北碚区", "Beibei", "500109", 29_805, 106_396),
    district("江津区", "Jiangjin", "500116", 29_290, 106_259),
    district("璧山区", "Bishan", "500120", 29_592, 106_227),
    district("渝北区", "Yubei", "500112", 29_718, 106_631),
    district("南岸区", "Nan'an", "500108", 29_522, 106_560),
    district("江北区", "Jiangbei", "500105", 29_606, 106_574),
    district("渝中区", "Yuzhong", "500103", 29_553, 106_569),
    district("大渡口区", "Dadukou", "500104", 29_484, 106_482),
    district("巴南区", "Banan", "500113", 29_402, 106_540),
    district("铜梁区", "Tongliang", "500151", 29_844, 106_056),
];

/// What a sector builds.
#[derive(Debug, Clone, Copy)]
pub struct Sector {
    /// An OC4IDS projectSector code.
    pub code: &'static str,
    /// Kinds of works, in Chinese and English.
    pub works: [(&'static str, &'static str); 4],
    /// How much is built, before and after a number.
    pub scale: (&'static str, &'static str),
    /// The most of it.
    pub most: i64,
    /// How often of a hundred.
    pub share: u64,
}

/// What is built.
pub const SECTORS: [Sector; 11] = [
    Sector {
        code: "transport.road",
        works: [("大道", "Avenue"), ("隧道", "Tunnel"), ("立交", "Interchange"), ("快速路", "Expressway")],
        scale: ("全长", "公里，双向六车道"),
        most: 38,
        share: 22,
    },
    Sector {
        code: "transport.rail",
        works: [
            ("轨道延伸线", "Metro Extension"),
            ("市域铁路", "Suburban Railway"),
            ("枢纽站", "Rail Hub"),
            ("车辆段", "Rail Depot"),
        ],
        scale: ("线路全长", "公里"),
        most: 45,
        share: 6,
    },
    Sector {
        code: "transport.water",
        works: [
            ("码头", "Wharf"),
            ("航道整治", "Waterway Improvement"),
            ("港区", "Port Area"),
            ("船闸", "Ship Lock"),
        ],
        scale: ("泊位", "个"),
        most: 12,
        share: 3,
    },
    Sector {
        code: "energy",
        works: [
            ("变电站", "Substation"),
            ("能源站", "Energy Station"),
            ("光伏电站", "Solar Plant"),
            ("燃气管网", "Gas Network"),
        ],
        scale: ("装机容量", "兆瓦"),
        most: 600,
        share: 8,
    },
    Sector {
        code: "waterAndWaste",
        works: [
            ("污水处理厂", "Sewage Works"),
            ("水厂", "Waterworks"),
            ("再生资源中心", "Recycling Centre"),
            ("综合管廊", "Utility Tunnel"),
        ],
        scale: ("日处理能力", "万吨"),
        most: 40,
        share: 9,
    },
    Sector {
        code: "education",
        works: [
            ("中学", "Secondary School"),
            ("小学", "Primary School"),
            ("学院新校区", "College Campus"),
            ("实训基地", "Training Base"),
        ],
        scale: ("建筑面积", "万平方米"),
        most: 60,
        share: 11,
    },
    Sector {
        code: "health",
        works: [
            ("医院", "Hospital"),
            ("疾控中心", "Disease Control Centre"),
            ("社区卫生中心", "Community Health Centre"),
            ("康复中心", "Rehabilitation Centre"),
        ],
        scale: ("床位", "张"),
        most: 1500,
        share: 6,
    },
    Sector {
        code: "cultureSportsAndRecreation",
        works: [("图书馆", "Library"), ("体育中心", "Sports Centre"), ("公园", "Park"), ("博物馆", "Museum")],
        scale: ("用地面积", "公顷"),
        most: 90,
        share: 7,
    },
    Sector {
        code: "socialHousing",
        works: [
            ("安置房", "Resettlement Housing"),
            ("人才公寓", "Talent Apartments"),
            ("保障性住房", "Affordable Housing"),
            ("老旧小区改造", "Estate Renewal"),
        ],
        scale: ("住房", "套"),
        most: 4200,
        share: 9,
    },
    Sector {
        code: "economy",
        works: [
            ("产业园", "Industrial Park"),
            ("智能工厂", "Smart Factory"),
            ("加速器", "Accelerator"),
            ("研发中心", "R&D Centre"),
        ],
        scale: ("建筑面积", "万平方米"),
        most: 120,
        share: 14,
    },
    Sector {
        code: "informationAndCommunication",
        works: [
            ("数据中心", "Data Centre"),
            ("超算中心", "Supercomputing Centre"),
            ("通信枢纽", "Telecom Hub"),
            ("物联网平台", "Internet of Things Platform"),
        ],
        scale: ("机柜", "个"),
        most: 8000,
        share: 5,
    },
];

/// What works and firms are named after, in Chinese and English.
pub const NAMES: [(&str, &str); 32] = [
    ("云湖", "Yunhu"),
    ("青凤", "Qingfeng"),
    ("含谷", "Hangu"),
    ("金凤", "Jinfeng"),
    ("寨山", "Zhaishan"),
    ("白鹤", "Baihe"),
    ("梁滩", "Liangtan"),
    ("新渝", "Xinyu"),
    ("凤栖", "Fengqi"),
    ("龙门", "Longmen"),
    ("石板", "Shiban"),
    ("曾家", "Zengjia"),
    ("西永", "Xiyong"),
    ("大学城", "University Town"),
    ("歇马", "Xiema"),
    ("双福", "Shuangfu"),
    ("团结", "Tuanjie"),
    ("陶家", "Taojia"),
    ("走马", "Zouma"),
    ("白市驿", "Baishiyi"),
    ("虎溪", "Huxi"),
    ("土主", "Tuzhu"),
    ("回龙坝", "Huilongba"),
    ("德感", "Degan"),
    ("圣泉", "Shengquan"),
    ("青杠", "Qinggang"),
    ("明月", "Mingyue"),
    ("缙云", "Jinyun"),
    ("嘉陵", "Jialing"),
    ("鹿角", "Lujiao"),
    ("华岩", "Huayan"),
    ("中梁", "Zhongliang"),
];

/// Why dates slip.
pub const REASONS: [&str; 12] = [
    "征地拆迁未完成",
    "设计变更",
    "材料到场推迟",
    "汛期停工",
    "管线迁改滞后",
    "环保管控停工",
    "资金到位推迟",
    "地质条件变化",
    "招标流标重新组织",
    "设备交付推迟",
    "审批资料补正",
    "高温天气减少作业",
];
